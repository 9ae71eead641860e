import { existsSync } from "node:fs";
import { join } from "node:path";

/** The program that runs hooks (`native/hook.c`): beside the bundled agent, or in the build folder of the sources. */
export function hookProgram(): string {
  const beside = join(import.meta.dirname, "kata-hook");
  return existsSync(beside) ? beside : join(import.meta.dirname, "../../build/lib/kata-hook");
}
