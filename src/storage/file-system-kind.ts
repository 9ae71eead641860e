import { readFile } from "node:fs/promises";

/** Whether the kernel has a kind of file system now, built in or loaded (proc(5), /proc/filesystems). */
export async function hasFileSystem(fstype: string, file = "/proc/filesystems"): Promise<boolean> {
  const lines = (await readFile(file, "utf8")).split("\n");
  return lines.some((line) => line.split("\t")[1] === fstype);
}
