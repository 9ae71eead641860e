import { PassThrough, Readable, Writable } from "node:stream";
import type { Host, Input, Output } from "../../src/ctl/host.ts";
import { runProgram } from "../../src/ctl/program.ts";

/** What a test gives agentctl to run in. */
export type Surroundings = {
  readonly stdin?: string | Input;
  readonly env?: Readonly<Record<string, string>>;
  /** Our standard output is a terminal of this size. */
  readonly terminal?: { rows: number; columns: number };
  readonly interrupted?: AbortSignal;
  /** Hears every piece of standard output as it comes. */
  readonly onStdout?: (text: string, stdout: Output) => void;
};

/** How a run ended. */
export type Ended = { readonly status: number; readonly stdout: string; readonly stderr: string };

type Gathering = Output & { text(): string };

function gathering(onText: (text: string, stream: Output) => void = () => {}): Gathering {
  const parts: Buffer[] = [];
  const stream: Output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(Buffer.from(chunk));
      onText(chunk.toString(), stream);
      done();
    },
  });
  return Object.assign(stream, { text: () => Buffer.concat(parts).toString() });
}

function inputOf(stdin: string | Input | undefined): Input {
  return typeof stdin === "string" || stdin === undefined
    ? Readable.from(stdin ? [Buffer.from(stdin)] : [])
    : stdin;
}

/** Standard input of a terminal, with a note of whether it is raw. */
export class FakeTerminalInput extends PassThrough {
  isTTY = true;
  readonly modes: boolean[] = [];

  setRawMode(raw: boolean): void {
    this.modes.push(raw);
  }
}

/** Runs one command line of agentctl in this process. */
export async function runAgentctl(args: readonly string[], around: Surroundings = {}): Promise<Ended> {
  const stdout = gathering(around.onStdout);
  const stderr = gathering();
  if (around.terminal !== undefined) Object.assign(stdout, { isTTY: true }, around.terminal);
  const host: Host = {
    stdin: inputOf(around.stdin),
    stdout,
    stderr,
    env: around.env ?? {},
    interrupted: around.interrupted ?? new AbortController().signal,
  };
  const status = await runProgram(host, args);
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}
