import {
  type Context,
  type Span,
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
import { baggageIn } from "./baggage.ts";
import { type Annotations, containerNameOf, type PodFacts, podFacts } from "./call-facts.ts";
import { type Origin, originOf } from "./call-parent.ts";
import type { CallSampler } from "./call-sampler.ts";
import { annotationsOfCreate } from "./create-annotations.ts";
import { errorFacts } from "./error-facts.ts";
import { rootContext } from "./linked-context.ts";
import type { RecordedSpan } from "./recorded-span.ts";
import { baggageKey, type Facts, factsKey, type SdkBackend } from "./sdk-backend.ts";

/** What the interceptor has to know of the containers. */
export type CallOptions = {
  /** The annotations of a container that exists. */
  annotationsOf: (containerId: string) => Readonly<Record<string, string>> | undefined;
  /** Annotations of a CreateContainer that name spans to link to. */
  linkKeys: readonly string[];
  /** Called once, when the pod is known. */
  onPod: (pod: PodFacts) => void;
};

/** A wait of a call in a queue is worth an event from here on. */
const queuedMs = 1;

/**
 * One SERVER span per call, from the first byte of its request to the last byte of its answer.
 *
 * The parent comes from the call's own metadata, from the annotations of the container to be created, or is the
 * sandbox's root; never from whatever context the connection happens to be read in.
 */
export class TraceInterceptor {
  /** Decides what is recorded; may be replaced at any time. */
  sampler: CallSampler;
  readonly #backend: SdkBackend;
  readonly #options: CallOptions;
  #on = true;
  #podKnown = false;

  constructor(backend: SdkBackend, sampler: CallSampler, options: CallOptions) {
    this.#backend = backend;
    this.sampler = sampler;
    this.#options = options;
  }

  /** The function for the dispatcher's chain. */
  readonly intercept: Interceptor = (next) => (call) => this.handle(next, call);

  /** Answers one call with `next`, in a span of its own. */
  handle(next: Handler, call: Call): Promise<object> {
    if (!this.#on) return next(call);
    const annotations = annotationsOfCreate(call);
    const origin = originOf(call.metadata, annotations, this.#options.linkKeys);
    const sampled = origin.caller === undefined ? undefined : (origin.caller.traceFlags & 1) === 1;
    if (this.sampler.takes(call.method, sampled)) return this.#traced(next, call, origin, annotations);
    return this.#backend.silently(next, call);
  }

  /** Later calls pass through untouched. */
  stop(): void {
    this.#on = false;
  }

  async #traced(
    next: Handler,
    call: Call,
    origin: Origin,
    annotations: Annotations | undefined,
  ): Promise<object> {
    const span = this.#open(call, origin, annotations);
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
      if (call.watch === undefined) span.finish();
      else {
        span.readyMs = performance.now();
        call.watch(span);
      }
    }
  }

  #open(call: Call, { caller, links }: Origin, annotations: Annotations | undefined): RecordedSpan {
    const { receivedAtMs } = call;
    this.#backend.clock.follow(receivedAtMs);
    const below = caller !== undefined && this.sampler.settings.type === "collated";
    const options: SpanOptions = { kind: SpanKind.SERVER };
    const linked = caller === undefined || below ? links : [caller, ...links];
    if (linked.length > 0) options.links = linked.map((context) => ({ context }));
    const parent: Context = below ? trace.setSpanContext(rootContext, caller) : this.#backend.root.context;
    const facts = this.#factsOf(call, annotations);
    let context = facts === undefined ? parent : parent.setValue(factsKey, facts);
    const baggage = call.metadata.length === 0 ? undefined : baggageIn(call.metadata);
    if (baggage !== undefined) context = context.setValue(baggageKey, baggage);
    const span = this.#backend.start(call.method.path, options, context, receivedAtMs);
    if (span.span.isRecording()) describe(span.span, call);
    if (performance.now() - receivedAtMs >= queuedMs) span.event("dispatched");
    return span;
  }

  /** What all spans of a call tell of its container; the pod's facts go to the resource when they are seen first. */
  #factsOf(call: Call, ofCreate: Annotations | undefined): Facts | undefined {
    const { container_id } = call.request as { container_id?: unknown };
    const id = checked(container_id, containerId);
    if (id === undefined) return undefined;
    const known = this.#options.annotationsOf(id);
    const annotations = ofCreate ?? (known && ((key: string) => known[key]));
    if (annotations === undefined) return [["container.id", id]];
    if (!this.#podKnown) this.#notePod(podFacts(annotations));
    const name = containerNameOf(annotations);
    return name === undefined
      ? [["container.id", id]]
      : [
          ["container.id", id],
          ["k8s.container.name", name],
        ];
  }

  #notePod(pod: PodFacts | undefined): void {
    if (pod === undefined) return;
    this.#podKnown = true;
    this.#options.onPod(pod);
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

/** Each attribute by itself: an object of them would be made, walked and thrown away for every call. */
function describe(span: Span, call: Call): void {
  const { peer, method, protocol } = call;
  span.setAttribute("rpc.system.name", protocol);
  span.setAttribute("rpc.method", method.path);
  span.setAttribute("network.peer.address", peer);
  span.setAttribute("network.transport", transportOf(peer));
  const { exec_id, sandbox_id } = call.request as Record<string, unknown>;
  if (exec_id) setId(span, "kata.exec.id", checked(exec_id, execId));
  if (sandbox_id) setId(span, "kata.sandbox.id", checked(sandbox_id, sandboxId));
}

function transportOf(peer: string): string {
  const colon = peer.indexOf(":");
  return colon === -1 ? peer : peer.slice(0, colon);
}

function setId(span: Span, key: keyof SpanAttributes, id: string | undefined): void {
  if (id !== undefined) span.setAttribute(key, id);
}

/** The id, if it is one: what fails the check is request content, and stays out. */
function checked(value: unknown, check: (value: string) => string): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  try {
    return check(value);
  } catch {
    // Not an id. The service method says so to the caller.
    return undefined;
  }
}
