import {
  type Context,
  createTraceState,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AgentError } from "../base/agent-error.ts";
import { Code, codeName } from "../base/code.ts";
import { containerId, execId, sandboxId } from "../base/ids.ts";
import type { Call, Handler, Interceptor } from "../rpc/call.ts";
import { type SpanAttributes, statusCodeKey } from "./attributes.ts";
import { errorFacts } from "./error-facts.ts";
import { rootContext } from "./linked-context.ts";
import type { RecordedSpan } from "./recorded-span.ts";
import type { SdkBackend } from "./sdk-backend.ts";
import { remoteParent } from "./traceparent.ts";
import type { TracingMode } from "./tracing-options.ts";

/**
 * One SERVER span per call, from the first byte of its request on.
 *
 * The parent comes from the call's own metadata or is the sandbox's root; never from whatever context the
 * connection happens to be read in.
 */
export class TraceInterceptor {
  readonly #backend: SdkBackend;
  readonly #mode: TracingMode;
  #on = true;

  constructor(backend: SdkBackend, mode: TracingMode) {
    this.#backend = backend;
    this.#mode = mode;
  }

  /** The function for the dispatcher's chain. */
  readonly intercept: Interceptor = (next) => (call) => (this.#on ? this.#traced(next, call) : next(call));

  /** Later calls pass through untouched. */
  stop(): void {
    this.#on = false;
  }

  async #traced(next: Handler, call: Call): Promise<object> {
    const span = this.#open(call);
    try {
      const response = await span.call(next, call);
      // The caller was told otherwise when its deadline passed, or has gone.
      if (call.aborted !== undefined) noteFailure(span, call.aborted);
      else span.span.setAttribute(statusCodeKey, "OK");
      return response;
    } catch (error) {
      noteFailure(span, call.aborted ?? error);
      throw error;
    } finally {
      span.finish();
    }
  }

  #open(call: Call): RecordedSpan {
    this.#backend.clock.follow(call.receivedAtMs);
    const caller = callerOf(call);
    const below = caller !== undefined && this.#mode === "collated";
    const options: SpanOptions = { kind: SpanKind.SERVER };
    if (caller !== undefined && !below) options.links = [{ context: caller }];
    const parent: Context = below ? trace.setSpanContext(rootContext, caller) : this.#backend.root.context;
    const span = this.#backend.start(call.method.path, options, parent, call.receivedAtMs);
    if (span.span.isRecording()) describe(span.span, call);
    return span;
  }
}

/** On the server only these mean that the server itself failed (RPC semantic conventions). */
const serverFaults: ReadonlySet<Code> = new Set([
  Code.unknown,
  Code.deadlineExceeded,
  Code.unimplemented,
  Code.internal,
  Code.unavailable,
  Code.dataLoss,
]);

function noteFailure({ span }: RecordedSpan, thrown: unknown): void {
  if (!span.isRecording()) return;
  const code = thrown instanceof AgentError ? thrown.code : Code.internal;
  span.setAttribute(statusCodeKey, codeName(code));
  span.setAttribute("error.type", codeName(code));
  if (serverFaults.has(code))
    span.setStatus({ code: SpanStatusCode.ERROR, message: errorFacts(thrown).message });
}

function callerOf(call: Call): SpanContext | undefined {
  if (call.metadata.length === 0) return undefined;
  const remote = remoteParent(call.metadata);
  if (remote === undefined) return undefined;
  const { traceId, spanId, traceFlags, traceState } = remote;
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  if (traceState !== undefined) context.traceState = createTraceState(traceState);
  return context;
}

/** Each attribute by itself: an object of them would be made, walked and thrown away for every call. */
function describe(span: Span, call: Call): void {
  const { peer, method, protocol } = call;
  span.setAttribute("rpc.system.name", protocol);
  span.setAttribute("rpc.method", method.path);
  span.setAttribute("network.peer.address", peer);
  span.setAttribute("network.transport", transportOf(peer));
  const { container_id, exec_id, sandbox_id } = call.request as Record<string, unknown>;
  if (container_id) setId(span, "container.id", container_id, containerId);
  if (exec_id) setId(span, "kata.exec.id", exec_id, execId);
  if (sandbox_id) setId(span, "kata.sandbox.id", sandbox_id, sandboxId);
}

function transportOf(peer: string): string {
  const colon = peer.indexOf(":");
  return colon === -1 ? peer : peer.slice(0, colon);
}

/** Sets the id if it is one: what fails the check is request content, and stays out. */
function setId(
  span: Span,
  key: keyof SpanAttributes,
  value: unknown,
  check: (value: string) => string,
): void {
  if (typeof value !== "string") return;
  try {
    span.setAttribute(key, check(value));
  } catch {
    // Not an id. The service method says so to the caller.
  }
}
