import type { SpanAttributes } from "./attributes.ts";
import { type LiveSpan, noSpan, type OpenSpan, tracingState } from "./backend.ts";

export type { LiveSpan, OpenSpan } from "./backend.ts";

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
