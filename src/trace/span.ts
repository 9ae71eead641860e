import type { SpanAttributes } from "./attributes.ts";
import { type LiveSpan, noSpan, type OpenSpan, type SpanPlace, tracingState } from "./backend.ts";

export type { LiveSpan, OpenSpan, SpanPlace } from "./backend.ts";

/**
 * Runs `work` in a span: a child of `parent`, else of the current span, else of the sandbox's root.
 * The span ends when `work` does; what it throws is recorded as status and `error.type`, and thrown on.
 * When tracing is off this is one branch and a call of `work`.
 */
export function span<T>(
  name: string,
  attributes: SpanAttributes,
  work: (span: LiveSpan) => Promise<T>,
  parent?: LiveSpan,
): Promise<T> {
  const { backend } = tracingState;
  if (backend === undefined) return work(noSpan);
  return within(backend.open(name, attributes, parent), work);
}

/**
 * Opens a span for something that no single function surrounds, such as the life of a container.
 * The caller owes `end()`, in a `finally` or by `using`. It is current only inside its `run`.
 */
export function startSpan(name: string, attributes: SpanAttributes, parent?: LiveSpan): OpenSpan {
  return tracingState.backend?.open(name, attributes, parent) ?? noSpan;
}

/**
 * Like {@link span} for work in the background, which belongs to no call though one may have begun it: the root of a trace
 * of its own, with a link to `cause`, else to the root of the sandbox.
 */
export function backgroundSpan<T>(
  name: string,
  attributes: SpanAttributes,
  work: (span: LiveSpan) => Promise<T>,
  cause?: SpanPlace,
): Promise<T> {
  const { backend } = tracingState;
  if (backend === undefined) return work(noSpan);
  return within(backend.openRoot(name, attributes, cause), work);
}

/** {@link startSpan} for the background. */
export function startBackgroundSpan(name: string, attributes: SpanAttributes, cause?: SpanPlace): OpenSpan {
  return tracingState.backend?.openRoot(name, attributes, cause) ?? noSpan;
}

/** Makes a span below `parent` of what somebody else has measured, in `performance.now()` values. */
export function noteSpan(
  name: string,
  attributes: SpanAttributes,
  { startMs, endMs }: { startMs: number; endMs: number },
  parent: LiveSpan,
): void {
  tracingState.backend?.note(name, attributes, startMs, endMs, parent);
}

/** The current span, for the link of work that goes on in the background. */
export function spanPlace(): SpanPlace | undefined {
  return tracingState.backend?.current();
}

/**
 * Environment entries that hand the current span to a child process: `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`, as
 * OpenTelemetry's environment carrier has them. None outside of a recorded span.
 */
export function traceEnvironment(): readonly string[] {
  return tracingState.backend?.environment() ?? [];
}

async function within<T>(open: OpenSpan, work: (span: LiveSpan) => Promise<T>): Promise<T> {
  try {
    const result = await open.run(() => work(open));
    open.end();
    return result;
  } catch (error) {
    open.end(error ?? new Error("rejected without a reason"));
    throw error;
  }
}
