import { open } from "node:fs/promises";
import { kernel } from "./kernel.ts";

const compressedFile = 4;

/**
 * Loads one kernel module from its file; the kernel itself unpacks `.ko.xz` and `.ko.zst`. What it depends on must be
 * loaded already. Off the event loop.
 * @throws EEXIST when it is loaded, ENOENT for an unknown symbol or a missing file, ENOEXEC.
 */
export async function loadModule(path: string, parameters = ""): Promise<void> {
  const file = await open(path, "r");
  try {
    await kernel.loadModule(file.fd, parameters, path.endsWith(".ko") ? 0 : compressedFile);
  } finally {
    await file.close();
  }
}
