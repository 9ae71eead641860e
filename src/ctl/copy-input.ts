import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { type Agent, Method } from "./agent.ts";
import type { ProcessTarget } from "./copy-output.ts";

/**
 * Writes `source` to the standard input of a process and closes it at the end. Aborting `signal` (the process has
 * ended) leaves the rest of the source alone.
 * @throws AgentError when the process does not take its input any more.
 */
export async function copyInput(
  agent: Agent,
  target: ProcessTarget,
  source: AsyncIterable<Uint8Array | string>,
  signal?: AbortSignal,
): Promise<void> {
  for await (const chunk of source) {
    let data = typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
    while (data.length > 0) {
      if (signal?.aborted) return;
      const { len } = await agent.call(Method.WriteStdin, { ...target, data }, { timeoutMs: 0 });
      if (len === 0) throw new AgentError(Code.unavailable, "the process takes no more input");
      data = data.subarray(len);
    }
  }
  await agent.call(Method.CloseStdin, target);
}
