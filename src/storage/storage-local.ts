import { chmod, mkdir } from "node:fs/promises";
import { absolutePath } from "../base/absolute-path.ts";
import { mayHang } from "../sys/may-hang.ts";
import { giveToGroup } from "./give-to-group.ts";
import { mustNotLeadOut } from "./must-not-lead-out.ts";
import type { Storage } from "./storage.ts";
import { numberOption } from "./storage-option.ts";

/** Driver `local`: a directory of the guest, shared between containers; lives until the guest ends (agent-api 4.2). */
export async function localStorage(storage: Storage): Promise<undefined> {
  const target = absolutePath(storage.mountPoint, "mount point");
  const gid = numberOption(storage.options, "fsgid", 10);
  const mode = numberOption(storage.options, "mode", 8);
  await mayHang(target, async () => {
    await mustNotLeadOut(target);
    await mkdir(target, { recursive: true, mode: 0o755 });
    if (mode !== undefined) await chmod(target, mode & 0o7777);
    if (gid !== undefined) await giveToGroup(target, gid);
  });
}
