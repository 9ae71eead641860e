import type { TraceSettings } from "../../trace/trace-settings.ts";
import type { BatchLimits, SpanLimits } from "../../trace/tracing-options.ts";

/**
 * The standard variables of OpenTelemetry, as far as they mean something here (wire-and-tracing 7.3). They are for an
 * ordinary process: the first process of a guest has the environment that the kernel gives it.
 */

type Env = Readonly<Record<string, string | undefined>>;

/** What the variables ask for; what is not said, or not well, is left out. */
export type OtelSettings = {
  readonly disabled: boolean;
  readonly resource: Readonly<Record<string, string>>;
  readonly settings: Partial<Pick<TraceSettings, "samplingPerMillion">>;
  readonly spanLimits: Partial<SpanLimits>;
  readonly batch: Partial<BatchLimits>;
  readonly maxPendingSpans: number | undefined;
};

/** Reads them. */
export function otelSettings(env: Env): OtelSettings {
  return {
    disabled: env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true",
    resource: resourceOf(env),
    settings: samplerOf(env),
    spanLimits: present({
      attributeCountLimit:
        count(env, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT") ?? count(env, "OTEL_ATTRIBUTE_COUNT_LIMIT"),
      attributeValueLengthLimit:
        count(env, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT") ??
        count(env, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
      eventCountLimit: count(env, "OTEL_SPAN_EVENT_COUNT_LIMIT"),
      linkCountLimit: count(env, "OTEL_SPAN_LINK_COUNT_LIMIT"),
      attributePerEventCountLimit: count(env, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"),
      attributePerLinkCountLimit: count(env, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"),
    }),
    batch: present({
      spans: count(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
      delayMs: count(env, "OTEL_BSP_SCHEDULE_DELAY"),
    }),
    maxPendingSpans: count(env, "OTEL_BSP_MAX_QUEUE_SIZE"),
  };
}

/** `key=value,key=value`, percent-encoded; the service's name has a variable of its own, which counts more. */
function resourceOf(env: Env): Record<string, string> {
  const resource: Record<string, string> = {};
  for (const pair of (env["OTEL_RESOURCE_ATTRIBUTES"] ?? "").split(",")) {
    const at = pair.indexOf("=");
    const value = at < 1 ? undefined : decoded(pair.slice(at + 1).trim());
    if (value !== undefined) resource[pair.slice(0, at).trim()] = value;
  }
  const name = env["OTEL_SERVICE_NAME"];
  if (name !== undefined && name !== "") resource["service.name"] = name;
  return resource;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Every sampler of the standard as a share of the calls that have no caller; one that has a caller follows it. */
function samplerOf(env: Env): OtelSettings["settings"] {
  const name = env["OTEL_TRACES_SAMPLER"]?.replace(/^parentbased_/, "");
  if (name === "always_on") return { samplingPerMillion: 1_000_000 };
  if (name === "always_off") return { samplingPerMillion: 0 };
  if (name !== "traceidratio") return {};
  const ratio = Number(env["OTEL_TRACES_SAMPLER_ARG"] ?? "1");
  return ratio >= 0 && ratio <= 1 ? { samplingPerMillion: Math.round(ratio * 1_000_000) } : {};
}

function count(env: Env, key: string): number | undefined {
  const text = env[key];
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

function present<T extends Record<string, number | undefined>>(all: T): { [K in keyof T]?: number } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: number;
  };
}
