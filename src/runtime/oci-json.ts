import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** Standard since ECMAScript 2026 (JSON.parse source text access), but not in the compiler's library yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/**
 * Writes a part of the OCI document as JSON. `bigint` values keep every digit, which `JSON.stringify` alone
 * refuses to do; `undefined` members are left out.
 * @throws INTERNAL for a text or a name with a NUL: crun would silently cut it there.
 */
export function ociJson(document: object): string {
  return JSON.stringify(document, (key, value: unknown) => {
    if (typeof value === "bigint") return rawJSON(value.toString());
    if (key.includes("\0") || (typeof value === "string" && value.includes("\0"))) {
      throw new AgentError(Code.internal, "a text of the OCI spec holds a NUL");
    }
    return value;
  });
}
