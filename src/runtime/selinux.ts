import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { readMounts } from "../sys/read-mounts.ts";
import type { OciProcess } from "./oci.ts";

/** @throws INTERNAL when a process is to have a label and SELinux is off: it would run without (agent-api 3.3.10). */
export async function checkLabel({ selinuxLabel }: OciProcess): Promise<void> {
  if (selinuxLabel === undefined) return;
  // libselinux, which crun asks, goes by the same.
  const on = (await readMounts()).some(({ fsType }) => fsType === "selinuxfs");
  if (!on) throw new AgentError(Code.internal, "SELinux is off, so the label cannot be set");
}
