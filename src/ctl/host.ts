import type { Readable, Writable } from "node:stream";

/** Our standard input; a terminal has the extra fields. */
export type Input = Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };

/** Standard output or error; a terminal has a size and says `resize` when it changes. */
export type Output = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/**
 * All that the commands may touch of the process they run in. `main.ts` hands in the real one, a test its own, so no
 * command prints, reads the environment or ends the process by itself.
 */
export type Host = {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly interrupted: AbortSignal;
};

/** Writes and waits until the reader of our output keeps up again. An output that is gone is not our failure. */
export async function writeOut(output: Output, data: string | Uint8Array): Promise<void> {
  if (output.destroyed || output.write(data)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      output.off("drain", done).off("close", done).off("error", done);
      resolve();
    };
    output.on("drain", done).on("close", done).on("error", done);
  });
}
