import { randomUUID } from "node:crypto";
import { type Agent, Method } from "./agent.ts";
import { attach } from "./attach.ts";
import { buildProcess } from "./spec.ts";

/** How a program in the guest ended and what it wrote. */
export type Outcome = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** What a program is run with. `size` makes it a program with a terminal of that size. */
export type ExecChoice = {
  readonly input?: string;
  readonly size?: { readonly row: number; readonly column: number };
};

async function* once(input: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(input);
}

/** Runs a program in a running container and gathers its output, which has to fit into memory. */
export async function execAndGather(
  agent: Agent,
  containerId: string,
  args: readonly string[],
  choice: ExecChoice = {},
): Promise<Outcome> {
  const target = { container_id: containerId, exec_id: randomUUID() };
  const terminal = choice.size !== undefined;
  await agent.call(Method.ExecProcess, { ...target, process: buildProcess({ args, terminal }) });
  if (choice.size !== undefined) await agent.call(Method.TtyWinResize, { ...target, ...choice.size });
  const gathered: { stdout: Uint8Array[]; stderr: Uint8Array[] } = { stdout: [], stderr: [] };
  const status = await attach(agent, target, {
    stdin: choice.input === undefined ? undefined : once(choice.input),
    stdout: async (data) => void gathered.stdout.push(data.slice()),
    stderr: async (data) => void gathered.stderr.push(data.slice()),
    terminal,
  });
  const text = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString();
  return { status, stdout: text(gathered.stdout), stderr: text(gathered.stderr) };
}

/** Reads an output stream until it has said `expected`, or to its end; gives all that was read. */
export async function readUntil(
  agent: Agent,
  method: typeof Method.ReadStdout,
  containerId: string,
  expected: string,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(expected)) {
    const request = { container_id: containerId, exec_id: containerId, len: 32 * 1024 };
    const { data } = await agent.call(method, request);
    if (data.length === 0) break;
    text += decoder.decode(data, { stream: true });
  }
  return text;
}
