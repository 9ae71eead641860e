import {
  type Context,
  createTraceState,
  ROOT_CONTEXT,
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
import { type RecordedSpan, setAll } from "./recorded-span.ts";
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
      span.span.setAttribute(statusCodeKey, "OK");
      return response;
    } catch (error) {
      noteFailure(span, error);
      throw error;
    } finally {
      span.finish();
    }
  }

  #open(call: Call): RecordedSpan {
    this.#backend.clock.follow();
    const caller = callerOf(call);
    const below = caller !== undefined && this.#mode === "collated";
    const options: SpanOptions = { kind: SpanKind.SERVER };
    if (caller !== undefined && !below) options.links = [{ context: caller }];
    const parent: Context = below ? trace.setSpanContext(ROOT_CONTEXT, caller) : this.#backend.root.context;
    const span = this.#backend.start(call.method.path, options, parent, call.receivedAtMs);
    if (span.span.isRecording()) setAll(span.span, attributesOf(call));
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

function attributesOf(call: Call): SpanAttributes {
  const { container_id, exec_id, sandbox_id } = call.request as Record<string, unknown>;
  const { peer } = call;
  const colon = peer.indexOf(":");
  return {
    "rpc.system.name": call.protocol,
    "rpc.method": call.method.path,
    "network.peer.address": peer,
    "network.transport": colon === -1 ? peer : peer.slice(0, colon),
    "container.id": safeId(container_id, containerId),
    "kata.exec.id": safeId(exec_id, execId),
    "kata.sandbox.id": safeId(sandbox_id, sandboxId),
  };
}

/** The id if it is one: what fails the check is request content, and stays out. */
function safeId(value: unknown, check: (value: string) => string): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  try {
    return check(value);
  } catch {
    return undefined;
  }
}
