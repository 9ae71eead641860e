/** What the command line says about devices by CDI (agent-api 2.2, 3.3.5). */
import { bool, seconds } from "./option-readers.ts";
import type { OptionTable } from "./option-row.ts";

/** Values of the group. */
export type CdiOptions = Readonly<{
  /** How long a CDI specification may take to come after the request that wants its device. */
  cdiTimeoutMs: number;
  /** Whether a container may ask for devices by its variable VISIBLE_CDI_DEVICES. */
  visibleCdiDevices: boolean;
}>;

/** The group's rows. */
export const cdiOptions: OptionTable<CdiOptions> = {
  cdiTimeoutMs: { cmdline: "agent.cdi_timeout", file: "cdi_timeout", read: seconds, fallback: 100_000 },
  visibleCdiDevices: {
    cmdline: "agent.visible_cdi_devices",
    file: "visible_cdi_devices",
    read: bool,
    fallback: false,
  },
};
