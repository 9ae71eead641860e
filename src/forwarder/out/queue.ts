import type { Export } from "../export.ts";

/** What waits for one backend, oldest first. */
export type Queue = {
  /** Whether {@link Queue.push} would take so many bytes of this origin. */
  hasRoom(bytes: number, origin: string): boolean;
  /** Resolves when the queue answers for it; keeps a copy of the body. @throws the system error when it cannot be written. */
  push(exported: Export): Promise<void>;
  /** The oldest ones, up to `maxBytes` but one at least; they stay. Empty when nothing waits. */
  peek(maxBytes: number): Promise<readonly Export[]>;
  /** Forgets the `count` oldest; nobody may look at them any more. */
  drop(count: number): Promise<void>;
  readonly bytes: number;
  readonly spans: number;
  readonly length: number;
  /** When the oldest came, ms of `performance.now()`; undefined without one. */
  readonly oldestAtMs: number | undefined;
  /** Whether what waits is still there when the program starts again. */
  readonly survives: boolean;
  close(): Promise<void>;
};
