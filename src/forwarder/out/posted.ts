import type { Export } from "../export.ts";

/** How one try went. `reason` is for the log; `rejected`: spans that the backend did not want. */
export type Posted =
  | { readonly status: "sent"; readonly rejected?: number }
  | { readonly status: "retry"; readonly afterMs: number | undefined; readonly reason: string }
  | { readonly status: "failed"; readonly reason: string };

/** The way to one backend, in its own language. */
export type Sender = {
  /** Sends exports as one request. Never rejects; ends as `retry` when the signal aborts. */
  send(parts: readonly Export[], signal: AbortSignal): Promise<Posted>;
  close(): void;
};
