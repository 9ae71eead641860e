import type { Export } from "../export.ts";

/** Where exports go. */
export type Output = {
  readonly name: string;
  /** Whether {@link Output.take} would find room now, for this origin. */
  hasRoom(bytes: number, origin: string): boolean;
  /**
   * Resolves when the output answers for the export: it is written, or stands in a queue that is promised.
   * @throws WireError when it has to be read and does not decode; the system error when it cannot be written.
   */
  take(exported: Export): Promise<void>;
  /** What waits here. */
  waiting(): Waiting;
  /** Delivers what waits, but not longer than `limitMs`, and gives up (or leaves on the disk) the rest. Safe to repeat. */
  close(limitMs: number): Promise<void>;
};

/** A queue at one moment: spans and bytes in it, and how long the oldest has been there. */
export type Waiting = { readonly spans: number; readonly bytes: number; readonly oldestSeconds: number };
