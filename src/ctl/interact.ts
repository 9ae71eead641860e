import { type Agent, Method } from "./agent.ts";
import { attach, type ProcessIo } from "./attach.ts";
import type { ProcessTarget } from "./copy-output.ts";
import { outputSink } from "./output-sink.ts";
import type { Session } from "./session.ts";
import { lendTerminal, windowSize } from "./terminal.ts";

/** How the user wants to be connected with a process. */
export type Interaction = { readonly interactive?: boolean; readonly tty?: boolean };

function ioOf(session: Session, wish: Interaction): ProcessIo {
  const { stdin, stdout, stderr } = session.host;
  return {
    stdin: wish.interactive ? stdin : undefined,
    stdout: outputSink(session, stdout, "stdout"),
    stderr: outputSink(session, stderr, "stderr"),
    terminal: wish.tty ?? false,
  };
}

/** Connects our streams, and with `-t` our terminal, with a process until it has ended. The result is its exit status. */
export async function interact(session: Session, target: ProcessTarget, wish: Interaction): Promise<number> {
  const agent = await session.agent();
  if (!wish.tty) return attach(agent, target, ioOf(session, wish));
  const size = windowSize(session.host);
  if (size !== undefined) await agent.call(Method.TtyWinResize, { ...target, ...size });
  using _terminal = lendTerminal(session.host, (changed) => resize(agent, target, changed));
  return await attach(agent, target, ioOf(session, wish));
}

/** A size that comes when the process has just ended reaches nobody, and that is well. */
function resize(agent: Agent, target: ProcessTarget, size: { row: number; column: number }): void {
  agent.call(Method.TtyWinResize, { ...target, ...size }).catch(() => {});
}
