import type { Target } from "./target.ts";

/** One POST to the receiver: where, what besides the ordinary headers (asked for at each try), and the body in pieces. */
export type Post = {
  readonly path: string;
  readonly headers?: () => Readonly<Record<string, string>>;
  readonly body: readonly Uint8Array[];
};

/**
 * How one try to deliver a request ended. `rejected` counts spans that the receiver took note of but will not keep;
 * `afterMs` is the pause that it asked for; `reached` tells whether anybody was there at all.
 */
export type Sent =
  | { status: "sent"; rejected: number }
  | { status: "retry"; afterMs?: number; reached: boolean; error: Error }
  | { status: "failed"; error: Error };

/** Whoever can carry requests, one at a time. */
export type Transport = {
  /** Makes sure of a connection and gives its number, or why there is none. */
  reach(): Promise<number | Error>;
  send(post: Post): Promise<Sent>;
  retarget(target: Target): void;
  close(): void;
};
