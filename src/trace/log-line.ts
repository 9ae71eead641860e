import { tracingState } from "./backend.ts";

/** The ids that point a log line at the span in which it was written; nothing outside of spans. */
export function logIds(): { trace_id?: string; span_id?: string } {
  const current = tracingState.backend?.current();
  return current === undefined ? {} : { trace_id: current.traceId, span_id: current.spanId };
}

/** Makes a line of the log an event of the span in which it was written. `message` is one of the program's own texts. */
export function noteLogLine(level: string, message: string): void {
  tracingState.backend?.current()?.event("log", { "kata.log.level": level, "kata.log.message": message });
}
