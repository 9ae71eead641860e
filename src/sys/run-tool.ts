import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { exitStatus } from "../base/exit.ts";
import { type RunLimits, run } from "./run.ts";

/** How a program of the guest image ended; the texts are what it printed, whatever its status. */
export type ToolResult = { status: number; stdout: Uint8Array; stderr: string };

const env = { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" };
const maxErrorLength = 1000;

/**
 * Runs a program of the guest image by its name, with nothing of our environment and `stdin` when given.
 * @throws INTERNAL naming the program that is missing, prints too much or takes too long.
 */
export async function runTool(
  file: string,
  args: readonly string[],
  limits: RunLimits,
  stdin?: Uint8Array,
): Promise<ToolResult> {
  try {
    const done = await run({ file, args, env, ...(stdin === undefined ? {} : { stdin }) }, limits);
    const stderr = Buffer.from(done.stderr).toString().trim().slice(0, maxErrorLength);
    return { status: exitStatus(done.exit), stdout: done.stdout, stderr };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw AgentError.from(error, file, Code.internal);
    throw new AgentError(Code.internal, `the guest image lacks the program ${file}`, { cause: error });
  }
}
