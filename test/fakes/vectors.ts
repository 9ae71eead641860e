import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The bytes of `test/vectors/<name>.hex`: hexadecimal numbers, `#` begins a comment line. */
export function vector(name: string): Uint8Array {
  const text = readFileSync(join(import.meta.dirname, "../vectors", `${name}.hex`), "utf8");
  const digits = text.replace(/^#.*$/gm, "").replace(/\s/g, "");
  return Uint8Array.from(Buffer.from(digits, "hex"));
}
