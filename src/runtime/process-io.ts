import type { ReadEnd } from "./read-end.ts";
import type { WriteEnd } from "./write-end.ts";

/** The agent's side of a process's standard streams. With a terminal there is no separate stderr. */
export type ProcessIo = {
  readonly stdin: WriteEnd;
  readonly stdout: ReadEnd;
  readonly stderr: ReadEnd | undefined;
  /** Sets the window size in character cells; present when the process has a terminal. Throws a system error. */
  readonly resize: ((rows: number, columns: number) => void) | undefined;
  /** Closes everything at once, dropping what was not read. Safe to repeat. */
  close(): void;
};
