import type { Log } from "../base/log.ts";
import { version } from "../base/version.ts";
import type { BootSteps } from "../trace/boot-steps.ts";
import type { Target } from "../trace/target.ts";
import { parseRules } from "../trace/trace-settings.ts";
import { type IntervalOptions, TraceSwitch } from "../trace/trace-switch.ts";
import { parseTraceparent } from "../trace/traceparent.ts";
import { parseAddress } from "../vsock/address.ts";
import { dial } from "../vsock/dial.ts";
import type { AgentOptions } from "./options/options.ts";
import { type OtelSettings, otelSettings } from "./options/otel-env.ts";
import type { Role } from "./role.ts";

/** What the switch is made from. */
export type TracingSources = {
  options: AgentOptions;
  role: Role;
  /** The variables of OpenTelemetry count for an ordinary process only. */
  env: Readonly<Record<string, string | undefined>>;
  annotationsOf: NonNullable<IntervalOptions["annotationsOf"]>;
  log: Log;
};

/** The switch as the options say; nothing is on yet. */
export function newTraceSwitch({ options, role, env, annotationsOf, log }: TracingSources): TraceSwitch {
  const otel = otelSettings(role === "service" ? env : {});
  return new TraceSwitch({
    settings: {
      type: options.trace === "off" ? "isolated" : options.trace,
      level: options.traceLevel,
      samplingPerMillion: options.traceSampling,
      rules: parseRules(options.traceRules) ?? [],
      ...otel.settings,
    },
    address: options.traceAddress,
    target: targetAt,
    flushMs: options.traceFlushMs,
    interval: {
      ...limitsOf(otel),
      serviceVersion: version,
      resource: { "os.type": "linux", "process.pid": process.pid, ...otel.resource },
      maxPendingSpans: otel.maxPendingSpans ?? options.traceQueue,
      linkKeys: options.traceLinks.split(",").filter(Boolean),
      annotationsOf,
      log,
    },
  });
}

/** Turns tracing on at boot when the options ask for it. */
export async function startAsAsked(
  tracing: TraceSwitch,
  { options, role, env, log }: TracingSources,
  steps: BootSteps,
): Promise<void> {
  const type = options.trace;
  const disabled = role === "service" && otelSettings(env).disabled;
  if (type === "off" || options.traceMode === "dynamic" || disabled) return steps.discard();
  const parent = parseTraceparent(options.traceParent);
  if (parent === undefined && options.traceParent !== "")
    log.warn({}, "option trace_parent is no traceparent");
  await tracing.start({ by: "boot", type, steps, parent });
}

function limitsOf({ spanLimits, batch }: OtelSettings): Pick<IntervalOptions, "spanLimits" | "batch"> {
  return { spanLimits, batch };
}

function targetAt(text: string): Target {
  const address = parseAddress(text);
  return {
    connect: (timeoutMs) => dial(address, { timeoutMs }),
    authority: address.kind === "tcp" ? `${address.host}:${address.port}` : "localhost",
  };
}
