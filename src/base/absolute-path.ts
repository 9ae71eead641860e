import { AgentError } from "./agent-error.ts";
import { Code } from "./code.ts";

const maxPathBytes = 4095;

/**
 * Checks a path that came in a request: absolute, no `..`, no NUL, not longer than the kernel takes.
 * `what` names it in the error. @throws INTERNAL.
 */
export function absolutePath(path: string, what: string): string {
  const sound =
    path.startsWith("/") &&
    !path.includes("\0") &&
    !path.split("/").includes("..") &&
    Buffer.byteLength(path) <= maxPathBytes;
  if (!sound) throw new AgentError(Code.internal, `${what} is not a clean absolute path`);
  return path;
}
