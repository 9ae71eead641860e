import { mkdir } from "node:fs/promises";
import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { mayHang } from "../sys/may-hang.ts";
import { commonMount } from "./common-mount.ts";
import { mustNotLeadOut } from "./must-not-lead-out.ts";
import type { Storage } from "./storage.ts";

/**
 * Changes a tmpfs of the pod, as when it may grow with the guest's memory: `remount,size=…` (agent-api 3.16).
 * Without options nothing is mounted. @throws INTERNAL for any driver but `ephemeral`, or with the errno.
 */
export async function updateEphemeralMount(storage: Storage): Promise<void> {
  if (storage.driver !== "ephemeral")
    throw new AgentError(Code.internal, "only ephemeral mounts can be updated");
  const target = absolutePath(storage.mountPoint, "mount point");
  await mayHang(target, async () => {
    await mustNotLeadOut(target);
    await mkdir(target, { recursive: true, mode: 0o755 });
  });
  const options = storage.options.filter((option) => !option.startsWith("fsgid="));
  if (options.length > 0) await commonMount({ ...storage, options });
}
