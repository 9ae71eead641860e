import type { Annotations } from "./call-facts.ts";
import type { TracingMode } from "./trace-settings.ts";
import { traceWord } from "./trace-words.ts";

/** Our own, with any word of `agent.trace`; it counts before those of the runtimes. */
const ownKey = "io.katacontainers.config.agent.trace";
/** Of the runtimes: a boolean, and in 1.x beside it the mode and the type (wire-and-tracing 4.4). */
const enableKey = "io.katacontainers.config.agent.enable_tracing";
const modeKey = "io.katacontainers.config.agent.trace_mode";
const typeKey = "io.katacontainers.config.agent.trace_type";

/**
 * What the annotations of a sandbox ask for; undefined when they do not say, or something that is no word for it.
 * A dynamic trace is not begun here: StartTracing does that.
 */
export function annotatedTrace(annotations: Annotations): TracingMode | "off" | undefined {
  const own = annotations(ownKey);
  if (own !== undefined) return traceWord(own);
  const enabled = annotations(enableKey);
  const wanted = enabled === undefined ? undefined : traceWord(enabled);
  if (wanted === undefined || wanted === "off") return wanted;
  if (annotations(modeKey)?.toLowerCase() === "dynamic") return undefined;
  return annotations(typeKey)?.toLowerCase() === "collated" ? "collated" : wanted;
}
