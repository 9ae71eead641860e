/**
 * Standard streams that the host has opened for one process, in place of the calls that read and write (agent-api 6.7).
 *
 * The process has its pipes or its terminal all the same; here bytes are carried between those and the host's streams.
 * A host that stops reading its stream holds the process back like any full pipe. One that has closed it does not: the
 * output is then read and dropped, so that the process lives on.
 */
import { blockBytes, copyToBlock, giveBack } from "../base/blocks.ts";
import type { ByteStream } from "../base/byte-stream.ts";
import type { ProcessIo } from "../runtime/process-io.ts";
import type { ReadEnd } from "../runtime/read-end.ts";
import type { WriteEnd } from "../runtime/write-end.ts";

/** Each is absent where the host has opened none. */
export type PassedStreams = {
  readonly stdin: ByteStream | undefined;
  readonly stdout: ByteStream | undefined;
  readonly stderr: ByteStream | undefined;
};

/** Where the host's connections are found: the ports that they come from, as a request names them; 0 = none. */
export type StreamPorts = {
  readonly stdin_port: number;
  readonly stdout_port: number;
  readonly stderr_port: number;
};

/**
 * Hands out the host's connections. What `take` gives is the caller's; undefined when no port is named. It never
 * rejects. `close` closes those that nobody took.
 */
export type PassedSource = {
  take(ports: StreamPorts): Promise<PassedStreams | undefined>;
  close(): Promise<void>;
};

const nothing: Uint8Array = new Uint8Array(0);

/** Closes all of them, without sending what still waits. Safe to repeat. */
export function closePassed(passed: PassedStreams): void {
  for (const stream of [passed.stdin, passed.stdout, passed.stderr]) void stream?.close();
}

/**
 * Begins to carry. Resolves when all output has been handed over and its streams are closed. Never rejects.
 * A terminal has no stderr of its own; a stream for it is closed.
 */
export async function carry(passed: PassedStreams, io: ProcessIo): Promise<void> {
  const { stdin, stdout, stderr } = passed;
  if (stdin !== undefined) carryInput(stdin, io.stdin);
  if (io.stderr === undefined) void stderr?.close();
  await Promise.all([
    stdout === undefined ? undefined : carryOutput(io.stdout, stdout),
    stderr === undefined || io.stderr === undefined ? undefined : carryOutput(io.stderr, stderr),
  ]);
}

function carryInput(from: ByteStream, to: WriteEnd): void {
  const ended = new AbortController();
  from.start(
    (chunk) => {
      from.pause();
      const data = copyToBlock(chunk);
      const written = to.write(data, () => ended.signal).finally(() => giveBack(data));
      written.then(
        () => from.resume(),
        () => from.close(),
      );
    },
    () => void to.end().then(() => from.close()),
  );
}

async function carryOutput(from: ReadEnd, to: ByteStream): Promise<void> {
  // What the host sends on a stream for output is nothing to us, but its end has to be noticed.
  to.start(ignored, ignored);
  const never = new AbortController();
  for (let sent = nothing; ; ) {
    const data = await from.read(blockBytes, () => never.signal);
    if (to.backlogBytes === 0) giveBack(sent);
    if (data.length === 0) break;
    if (!to.write(data)) await to.drained();
    sent = data;
  }
  await to.end();
  await to.close();
}

function ignored(): void {}
