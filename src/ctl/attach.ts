import { AgentError } from "../base/agent-error.ts";
import { type Agent, Method } from "./agent.ts";
import { copyInput } from "./copy-input.ts";
import { copyOutput, type ProcessTarget, type Sink } from "./copy-output.ts";

/** What a process is connected with. Without `stdin` it reads end of file at once; with a terminal it has no stderr. */
export type ProcessIo = {
  readonly stdin: AsyncIterable<Uint8Array | string> | undefined;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly terminal: boolean;
};

/** A process may end without having read all that we have for it. */
function ignoreRefusedInput(thrown: unknown): void {
  if (!(thrown instanceof AgentError)) throw thrown;
}

async function feed(agent: Agent, target: ProcessTarget, io: ProcessIo, ended: AbortSignal): Promise<void> {
  if (io.stdin !== undefined) return copyInput(agent, target, io.stdin, ended);
  if (!io.terminal) await agent.call(Method.CloseStdin, target);
}

/**
 * Carries the streams of a running process until it has ended, as the Go shim does: both outputs to their ends, then
 * WaitProcess (image-and-runtime 4.4). The result is the exit status.
 */
export async function attach(agent: Agent, target: ProcessTarget, io: ProcessIo): Promise<number> {
  const ended = new AbortController();
  const input = feed(agent, target, io, ended.signal).catch(ignoreRefusedInput);
  const outputs = [copyOutput(agent, Method.ReadStdout, target, io.stdout)];
  if (!io.terminal) outputs.push(copyOutput(agent, Method.ReadStderr, target, io.stderr));
  // An input that never ends must not keep us; one that fails on our side must.
  await Promise.race([Promise.all(outputs), input.then(() => Promise.all(outputs))]);
  ended.abort();
  const { status } = await agent.call(Method.WaitProcess, target);
  return status;
}
