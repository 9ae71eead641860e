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

/** What `span.ts` needs of the SDK. */
export type SpanBackend = {
  /** The span that is current and recorded, if any. */
  current(): CurrentSpan | undefined;
  /** A span below `parent`, else below the current one. */
  open(name: string, attributes: SpanAttributes, parent?: LiveSpan): OpenSpan;
};

/** The backend in use; undefined = tracing is off. A property, so that readers see the change. */
export const tracingState: { backend: SpanBackend | undefined } = { backend: undefined };
