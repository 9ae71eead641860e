/** Options of tracing: whether, when, how much, and where spans go. */
import type { TraceLevel, TracingMode } from "../../trace/trace-settings.ts";
import {
  address,
  annotationKeys,
  bool,
  perMillion,
  seconds,
  type TraceMode,
  text,
  trace,
  traceLevel,
  traceMode,
  traceRules,
  wholeNumber,
} from "./option-readers.ts";
import type { OptionTable } from "./option-row.ts";

/** Values of the group. */
export type TraceOptions = Readonly<{
  trace: TracingMode | "off";
  /** Dynamic: off until a call switches it on, whatever `trace` says. */
  traceMode: TraceMode;
  traceLevel: TraceLevel;
  /** Of the calls whose caller did not sample them. */
  traceSampling: number;
  /** Text of `parseRules`. */
  traceRules: string;
  traceAddress: string;
  /** Spans that may wait for the receiver's acknowledgement. */
  traceQueue: number;
  traceFlushMs: number;
  /** W3C traceparent of whoever starts the guest; empty = none. The root span then is a child of theirs. */
  traceParent: string;
  /** Annotations of a container that name spans to link its creation to, comma between. */
  traceLinks: string;
  /** Whether the processes of containers are told of the span that started them. */
  traceWorkload: boolean;
  /** Whether containers get a socket for spans of their own. */
  traceRelay: boolean;
}>;

/** The group's rows. */
export const traceOptions: OptionTable<TraceOptions> = {
  trace: {
    cmdline: "agent.trace",
    file: "tracing",
    env: "KATA_AGENT_TRACING",
    oldEnv: "KATA_AGENT_TRACE_TYPE",
    read: trace,
    fallback: "off",
  },
  traceMode: row("mode", traceMode, "static"),
  traceLevel: row("level", traceLevel, "trace"),
  traceSampling: row("sampling_per_million", perMillion, 1_000_000),
  traceRules: row("rules", traceRules, ""),
  traceAddress: row("addr", address, "vsock://2:10240"),
  traceQueue: row("queue", wholeNumber, 32_768),
  traceFlushMs: row("flush_timeout", seconds, 1000),
  traceParent: { ...row("parent", text, ""), env: "TRACEPARENT" },
  traceWorkload: row("workload", bool, false),
  traceRelay: row("relay", bool, false),
  traceLinks: row(
    "links",
    annotationKeys,
    "tracing.k8s.io/traceparent,tekton.dev/taskrunSpanContext,tekton.dev/pipelinerunSpanContext",
  ),
};

/** The same name in all three places. */
function row<T>(
  name: string,
  read: OptionTable<{ x: T }>["x"]["read"],
  fallback: T,
): OptionTable<{ x: T }>["x"] {
  return {
    cmdline: `agent.trace_${name}`,
    file: `trace_${name}`,
    env: `KATA_AGENT_TRACE_${name.toUpperCase()}`,
    read,
    fallback,
  };
}
