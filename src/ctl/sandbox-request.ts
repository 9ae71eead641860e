import type { CreateSandboxRequest } from "../gen/agent.ts";
import type { Input } from "../gen/message-type.ts";
import { sandboxShmPath } from "./spec-defaults.ts";

/** What differs between one sandbox and the next. */
export type SandboxChoice = {
  readonly sandboxId: string;
  readonly hostname?: string;
  /** Lines of resolv.conf. */
  readonly dns?: readonly string[];
  /** Size of the pod's `/dev/shm` in bytes; 0 = the default of the shim. */
  readonly shmBytes?: number;
  readonly sharePid?: boolean;
};

/** The shim's own default for `/dev/shm`. */
const defaultShmBytes = 64 * 1024 * 1024;
/** The shim cuts host names: Linux takes no more. */
const maxHostname = 64;

/** CreateSandbox as the Go shim sends it for a guest without a shared file system (image-and-runtime 4.2). */
export function sandboxRequest(choice: SandboxChoice): Input<CreateSandboxRequest> {
  const bytes = choice.shmBytes || defaultShmBytes;
  const shm = {
    driver: "ephemeral",
    source: "shm",
    fstype: "tmpfs",
    mount_point: sandboxShmPath,
    options: ["noexec", "nosuid", "nodev", "mode=1777", `size=${bytes}`],
  };
  return {
    sandbox_id: choice.sandboxId,
    hostname: (choice.hostname ?? choice.sandboxId).slice(0, maxHostname),
    dns: [...(choice.dns ?? [])],
    storages: [shm],
    sandbox_pidns: choice.sharePid ?? false,
  };
}
