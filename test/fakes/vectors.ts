import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The bytes of `test/vectors/<name>.hex`: hexadecimal numbers, `#` begins a comment line. */
export function vector(name: string): Uint8Array {
  const text = readFileSync(join(import.meta.dirname, "../vectors", `${name}.hex`), "utf8");
  const digits = text.replace(/^#.*$/gm, "").replace(/\s/g, "");
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

/** The text of `test/vectors/<name>.txt`, without the line feed at its end. */
export function textVector(name: string): string {
  return readFileSync(join(import.meta.dirname, "../vectors", `${name}.txt`), "utf8").trimEnd();
}
