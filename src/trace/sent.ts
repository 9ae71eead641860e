/**
 * How one try to deliver a batch ended. `rejected` counts spans that the receiver took note of but will not keep;
 * `afterMs` is the pause that it asked for; `reached` tells whether anybody was there at all.
 */
export type Sent =
  | { status: "sent"; rejected: number }
  | { status: "retry"; afterMs?: number; reached: boolean; error: Error }
  | { status: "failed"; error: Error };
