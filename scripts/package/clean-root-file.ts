import { globSync } from "node:fs";
import { join } from "node:path";

/** Where the archives of clean roots lie. */
export const cleanRootFolder = join(import.meta.dirname, "../../.cache/clean-root");

/** The archive of a clean root; undefined when none was made. */
export function cleanRoot(): string | undefined {
  return globSync(join(cleanRootFolder, "[a-z]*.tar"))[0];
}
