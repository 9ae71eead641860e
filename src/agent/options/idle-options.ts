/**
 * Options that are read so that a bad value is told, and that change nothing here: those of confidential computing,
 * whose helpers this agent does not start, and two that mean nothing to the reference either (agent-api 2.2, 2.3).
 */
import { bool, flag, oneOf, seconds, text, url } from "./option-readers.ts";
import type { OptionRow, OptionTable } from "./option-row.ts";

/** Values of the group. */
export type IdleOptions = Readonly<{
  devMode: boolean;
  httpsProxy: string;
  noProxy: string;
  guestComponentsRestApi: string;
  guestComponentsProcs: string;
  secureStorageIntegrity: boolean;
  cdhApiTimeoutMs: number;
  imagePullTimeoutMs: number;
  launchProcessTimeoutMs: number;
  attesterVariant: string;
}>;

/** The group's rows. */
export const idleOptions: OptionTable<IdleOptions> = idle({
  devMode: { cmdline: "agent.devmode", file: "dev_mode", read: flag, fallback: false },
  httpsProxy: { cmdline: "agent.https_proxy", file: "https_proxy", read: url, fallback: "" },
  noProxy: { cmdline: "agent.no_proxy", file: "no_proxy", read: text, fallback: "" },
  guestComponentsRestApi: {
    cmdline: "agent.guest_components_rest_api",
    file: "guest_components_rest_api",
    read: oneOf("all", "attestation", "resource"),
    fallback: "resource",
  },
  guestComponentsProcs: {
    cmdline: "agent.guest_components_procs",
    file: "guest_components_procs",
    read: oneOf("none", "attestation-agent", "confidential-data-hub", "api-server-rest"),
    fallback: "api-server-rest",
  },
  secureStorageIntegrity: {
    cmdline: "agent.secure_storage_integrity",
    file: "secure_storage_integrity",
    read: bool,
    fallback: true,
  },
  cdhApiTimeoutMs: {
    cmdline: "agent.cdh_api_timeout",
    file: "cdh_api_timeout",
    read: seconds,
    fallback: 50_000,
  },
  imagePullTimeoutMs: {
    cmdline: "agent.image_pull_timeout",
    file: "image_pull_timeout",
    read: seconds,
    fallback: 1_200_000,
  },
  launchProcessTimeoutMs: {
    cmdline: "agent.launch_process_timeout",
    file: "launch_process_timeout",
    read: seconds,
    fallback: 6000,
  },
  attesterVariant: { env: "KATA_ATTESTER_VARIANT", read: text, fallback: "default" },
});

function idle<Options>(table: OptionTable<Options>): OptionTable<Options> {
  const rows = Object.entries<OptionRow<unknown>>(table).map(([name, row]) => [name, { ...row, idle: true }]);
  return Object.fromEntries(rows);
}
