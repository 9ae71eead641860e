import type { Input } from "../gen/message-type.ts";
import { AgentServiceMethods, HealthMethods, type MethodDescriptor } from "../gen/methods.ts";
import type { ClientTrace } from "./client-trace.ts";
import { SpanKind } from "./client-trace.ts";
import { type Caller, connectCaller } from "./connect.ts";
import type { Options } from "./options.ts";
import { formatTraceparent } from "./trace-context.ts";

/** All calls that the schema knows, by their names. */
export const Method = { ...AgentServiceMethods, ...HealthMethods };

/** These answer when something happens in the guest, however long that takes: no deadline (image-and-runtime 4.1). */
const unlimited: ReadonlySet<MethodDescriptor> = new Set<MethodDescriptor>([
  Method.WaitProcess,
  Method.ReadStdout,
  Method.ReadStderr,
  Method.GetOOMEvent,
]);

/** What one call may ask for besides its request. */
export type CallOptions = {
  /** Instead of the limit of the invocation; 0 = none. */
  readonly timeoutMs?: number;
  /** Instead of Ctrl-C: for what has to be cleaned up after it. */
  readonly signal?: AbortSignal;
};

/** The agent at the other end, with the limits and the trace of one invocation. */
export class Agent {
  readonly #caller: Caller;
  readonly #trace: ClientTrace;
  readonly #timeoutMs: number;
  readonly #interrupted: AbortSignal;

  constructor(caller: Caller, trace: ClientTrace, timeoutMs: number, interrupted: AbortSignal) {
    this.#caller = caller;
    this.#trace = trace;
    this.#timeoutMs = timeoutMs;
    this.#interrupted = interrupted;
  }

  /** @throws UsageError without an address, ConnectError when nobody answers at it. */
  static async connect(options: Options, trace: ClientTrace, interrupted: AbortSignal): Promise<Agent> {
    return new Agent(await connectCaller(options, interrupted), trace, options.timeoutMs, interrupted);
  }

  /**
   * Calls a method inside a client span. Fields that are left out have their zero value.
   * @throws AgentError with the code and the text of the agent; DEADLINE_EXCEEDED, UNAVAILABLE when it is our side that gave up.
   */
  call<Request extends object, Response extends object>(
    method: MethodDescriptor<Request, Response>,
    request: Input<Request>,
    options: CallOptions = {},
  ): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? (unlimited.has(method) ? 0 : this.#timeoutMs);
    return this.#trace.span(method.path, SpanKind.client, async (span) => {
      span.set("rpc.system.name", this.#caller.protocol);
      span.set("rpc.method", method.path);
      return this.#caller.call(method, request, {
        ...(timeoutMs === 0 ? {} : { timeoutMs }),
        signal: options.signal ?? this.#interrupted,
        metadata: [["traceparent", formatTraceparent(this.#trace.current())]],
      });
    });
  }

  /** Ends the connection. Repeatable. */
  close(): Promise<void> {
    return this.#caller.close();
  }
}
