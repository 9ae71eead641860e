/*
 * The spans of agentctl itself, and the context that its calls carry.
 *
 * Every invocation is part of one trace: a fresh one, or the one of `--traceparent`. Without a place to send spans to
 * nothing is recorded and all calls carry the same `traceparent`. With one, each call is a CLIENT span below the step
 * that made it, so that the agent's spans have a parent that anybody can find. The current span travels in
 * AsyncLocalStorage, by `run` only.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { AgentError } from "../base/agent-error.ts";
import { codeName } from "../base/code.ts";
import type { AttributeValue, SpanRecord } from "../view/span-record.ts";
import { newTraceContext, type TraceContext } from "./trace-context.ts";

/** OTLP span kinds that a client makes. */
export const SpanKind = { internal: 1, client: 3 } as const;

/** What the work inside a span may add to it. */
export type OpenSpan = { set(key: string, value: AttributeValue): void };

const ignoring: OpenSpan = { set() {} };

/** Nanoseconds since 1970, finer than a millisecond and never going backwards within one process. */
function nowNs(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
}

/** The trace of one invocation. */
export class ClientTrace {
  readonly context: TraceContext;
  readonly #recording: boolean;
  readonly #parentSpanId: string;
  readonly #current = new AsyncLocalStorage<TraceContext>();
  readonly #finished: SpanRecord[] = [];
  #rootOpen = false;

  /** `parent`: what the user gave as `--traceparent`. `root`: the ids of our own root span, when others know them already. */
  constructor(recording: boolean, parent?: TraceContext, root?: TraceContext) {
    this.#recording = recording;
    this.#parentSpanId = parent?.spanId ?? "";
    this.context = root ?? (recording || parent === undefined ? newTraceContext(parent) : parent);
  }

  /** The context for the metadata of a call made right here. */
  current(): TraceContext {
    return this.#current.getStore() ?? this.context;
  }

  /** Runs `work` inside a span; the first one is the root of what this invocation records. Errors are noted and go on. */
  async span<T>(name: string, kind: number, work: (span: OpenSpan) => Promise<T>): Promise<T> {
    if (!this.#recording) return work(ignoring);
    const root = !this.#rootOpen;
    this.#rootOpen = true;
    const parent = this.current();
    const context = root ? this.context : newTraceContext(parent);
    const attributes = new Map<string, AttributeValue>();
    const startNs = nowNs();
    let status = { error: false, message: "" };
    try {
      return await this.#current.run(context, () =>
        work({ set: (key, value) => attributes.set(key, value) }),
      );
    } catch (thrown) {
      attributes.set("error.type", thrown instanceof AgentError ? codeName(thrown.code) : errorClass(thrown));
      status = { error: true, message: thrown instanceof Error ? thrown.message : "" };
      throw thrown;
    } finally {
      this.#finished.push({
        traceId: context.traceId,
        spanId: context.spanId,
        parentSpanId: root ? this.#parentSpanId : parent.spanId,
        name,
        kind,
        startNs,
        endNs: nowNs(),
        attributes,
        status,
        events: [],
        links: [],
        service: "agentctl",
      });
    }
  }

  /** Takes the spans that have ended so far; they are not kept any longer. */
  take(): SpanRecord[] {
    return this.#finished.splice(0);
  }
}

function errorClass(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : "Error";
}
