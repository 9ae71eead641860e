import type { ProcessIo } from "./process-io.ts";

/** Standard streams on their way to a process that crun is about to make. */
export type OpenStreams = {
  /** What crun itself gets as stdin, stdout, stderr, and hands on. */
  readonly childStdio: readonly [number | "null", number | "null", number | "null"];
  readonly crunArgs: readonly string[];
  /** Closes our copies of the process's side; to be called once crun has them. */
  closeChildSide(): void;
  /** Our side, once crun has ended well. Rejects with DEADLINE_EXCEEDED when no terminal arrives within `timeoutMs`. */
  connect(timeoutMs: number): Promise<ProcessIo>;
  /** Closes all that is open on either side, when no process came of it. */
  close(): void;
};
