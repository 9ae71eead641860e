import type { AgentError } from "../base/agent-error.ts";
import type { MethodDescriptor } from "../gen/methods.ts";

/** Request metadata in the order of arrival; a key that came twice stands twice. Keys are lower case. */
export type Metadata = readonly (readonly [key: string, value: string])[];

/** One request on its way through the interceptors to a service method. */
export type Call = {
  readonly method: MethodDescriptor;
  /** The decoded request message of `method.requestType`. */
  readonly request: object;
  readonly metadata: Metadata;
  readonly protocol: "ttrpc" | "grpc";
  /** Peer of the connection, for spans: `unix`, `vsock:2:1234`, `tcp:127.0.0.1:80`. */
  readonly peer: string;
  /** `performance.now()` when the first byte of the request had been read. */
  readonly receivedAtMs: number;
  /**
   * Aborts at the deadline (reason: AgentError DEADLINE_EXCEEDED) or when the connection goes (CANCELLED).
   * Made on first use: a method that never waits never pays for it.
   */
  readonly signal: AbortSignal;
  /** Why nobody waits for the answer any more: the reason of `signal`, without the cost of making one. */
  readonly aborted?: AgentError | undefined;
  /** Asks to be told when the answer has been written or the call is lost; one watcher, after the handler has ended. */
  watch?(watcher: AnswerWatcher): void;
};

/** Told once, at the last byte of a call's answer or when nobody waits for it any more. */
export type AnswerWatcher = { answered(): void };

/** Answers a call with the message of `method.responseType`, or throws an `AgentError`. */
export type Handler = (call: Call) => Promise<object>;

/** Cross-cutting work as a function around a function: tracing, permission, log. */
export type Interceptor = (next: Handler) => Handler;

/** Finds who answers a method; undefined = the method exists in the schema but is not implemented. */
export type Handlers = ReadonlyMap<MethodDescriptor, Handler>;
