import type { SpanAttributes } from "./attributes.ts";

/**
 * The seam between the rooms that make spans and the OpenTelemetry SDK.
 *
 * While tracing is off there is no backend and nothing of OpenTelemetry is loaded; `span.ts` then pays one branch.
 */

/** A span that somebody else ends. Also serves as explicit parent of other spans. */
export type LiveSpan = {
  set(attributes: SpanAttributes): void;
  event(name: string, attributes?: SpanAttributes): void;
};

/** A span that outlives the function that opened it. Whoever opens it ends it; a second `end` does nothing. */
export type OpenSpan = LiveSpan &
  Disposable & {
    /** Ends the span; with `error`, as failed. */
    end(error?: unknown): void;
    /** Runs `work` with this span as the current one. The span stays open. */
    run<T>(work: () => T): T;
  };

/** Stands in for a span that is not recorded: what it is asked to run is simply run. */
export const noSpan: OpenSpan = {
  set() {},
  event() {},
  end() {},
  run: (work) => work(),
  [Symbol.dispose]() {},
};

/** The span in which something happens, for whoever only wants to point at it. */
export type CurrentSpan = {
  readonly traceId: string;
  readonly spanId: string;
  event(name: string, attributes: SpanAttributes): void;
};

/** Where a span stands, for a link to it. */
export type SpanPlace = { readonly traceId: string; readonly spanId: string };

/** What `span.ts` needs of the SDK. */
export type SpanBackend = {
  /** The span that is current and recorded, if any. */
  current(): CurrentSpan | undefined;
  /** A span below `parent`, else below the current one. */
  open(name: string, attributes: SpanAttributes, parent?: LiveSpan): OpenSpan;
  /** The root of a trace of its own, with a link to `cause`, else to the root of the sandbox. */
  openRoot(name: string, attributes: SpanAttributes, cause: SpanPlace | undefined): OpenSpan;
  /** A span that has been and gone, by `performance.now()` values. */
  note(name: string, attributes: SpanAttributes, startMs: number, endMs: number, parent: LiveSpan): void;
  /** The current span as a child process is told of it: `TRACEPARENT=…` and its kin. */
  environment(): readonly string[];
};

/** The backend in use; undefined = tracing is off. A property, so that readers see the change. */
export const tracingState: { backend: SpanBackend | undefined } = { backend: undefined };
