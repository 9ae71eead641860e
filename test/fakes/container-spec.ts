import type { Input } from "../../src/gen/message-type.ts";
import type { Process, Spec } from "../../src/gen/oci.ts";

/** What a test wants of a process; all else is what a plain container gets. */
export type Wanted = {
  readonly args: readonly string[];
  readonly env?: readonly string[];
  readonly terminal?: boolean;
  readonly cwd?: string;
};

const capabilities = ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_DAC_OVERRIDE"];
const quiet = ["nosuid", "noexec", "nodev"];

/** A process section as the Go shim sends it. */
export function processOf({ args, env = [], terminal = false, cwd = "/" }: Wanted): Input<Process> {
  return {
    Terminal: terminal,
    User: {},
    Args: [...args],
    Env: ["PATH=/bin", ...env],
    Cwd: cwd,
    Capabilities: { Bounding: capabilities, Effective: capabilities, Permitted: capabilities },
  };
}

/** A document as the Go shim sends it, with `root` as the root file system. */
export function specOf(root: string, wanted: Wanted): Input<Spec> {
  return {
    Version: "1.0.2",
    Process: processOf(wanted),
    Root: { Path: root },
    Hostname: "not-for-the-pod",
    Mounts: [
      { destination: "/proc", source: "proc", type: "proc", options: quiet },
      { destination: "/dev", source: "tmpfs", type: "tmpfs", options: ["nosuid", "mode=755", "size=65536k"] },
      {
        destination: "/dev/pts",
        source: "devpts",
        type: "devpts",
        options: ["newinstance", "ptmxmode=0666"],
      },
      { destination: "/sys", source: "sysfs", type: "sysfs", options: [...quiet, "ro"] },
      { destination: "/tmp", source: "tmpfs", type: "tmpfs", options: quiet },
    ],
    Linux: {
      Namespaces: [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }],
      MaskedPaths: ["/proc/kcore"],
      ReadonlyPaths: ["/proc/sys"],
    },
  };
}
