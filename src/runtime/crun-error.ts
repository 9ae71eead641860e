import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

const missingProgram = /^executable file `(.*)` not found/s;

/**
 * Turns crun's complaint into what the runtimes expect to read.
 *
 * A missing program is told in the words that the Go shim looks for (`not found`, agent-api 0.4 and 3.3.10 step 23);
 * everything else passes through, since crun's texts name what failed. Always INTERNAL (agent-api 0.3).
 */
export function crunError(command: string, complaint: string | undefined, status: string): AgentError {
  const missing = complaint === undefined ? null : missingProgram.exec(complaint);
  if (missing !== null)
    return new AgentError(Code.internal, `crun ${command}: the file ${missing[1]} was not found`);
  return new AgentError(Code.internal, `crun ${command}: ${complaint ?? status}`);
}
