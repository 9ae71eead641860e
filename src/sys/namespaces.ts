import { closeSync, openSync } from "node:fs";
import { kernel } from "./kernel.ts";

/**
 * Makes a new namespace that stays until `path` is unmounted; `path` is created as an empty file when it is not there.
 * With `hostname`, a uts namespace has that name from the start. Our own namespaces stay as they are.
 * @throws the system error with the step in `syscall` (unshare, sethostname, mount).
 */
export async function persistNamespace(type: "ipc" | "uts", path: string, hostname?: string): Promise<void> {
  closeSync(openSync(path, "a", 0o444));
  await kernel.persistNamespace(type, path, hostname ?? null);
}
