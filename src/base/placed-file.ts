import { existsSync } from "node:fs";
import { join } from "node:path";

/** Path of a file that the build places beside the programs; for sources that run unbuilt, in the build folder. */
export function placedFile(name: string): string {
  const beside = join(import.meta.dirname, name);
  return existsSync(beside) ? beside : join(import.meta.dirname, "../../build/lib", name);
}
