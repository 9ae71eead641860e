import type { MethodDescriptor } from "../gen/methods.ts";
import {
  perMillionAll,
  type TraceLevel,
  type TraceRule,
  type TraceSettings,
  traceLevels,
} from "./trace-settings.ts";

/** What the settings mean for a method: never a span, or so many of a million where the caller has not decided. */
type Share = number | "off";

/** Calls that come by themselves all the time: asking for health, moving a process's bytes, waiting for events. */
const chatter: ReadonlySet<string> = new Set([
  "Check",
  "Version",
  "ReadStdout",
  "ReadStderr",
  "WriteStdin",
  "GetOOMEvent",
]);
/** They begin a trace, and so cannot be part of it. */
const starters: ReadonlySet<string> = new Set([
  "grpc.AgentService/StartTracing",
  "kata.trace.v1.TraceControl/Start",
]);

/** Decides which calls become spans. Made anew when the settings change; what a method gets is worked out once. */
export class CallSampler {
  readonly settings: TraceSettings;
  /** Whether steps within a call become spans. */
  readonly steps: boolean;
  readonly #shares = new Map<MethodDescriptor, Share>();

  constructor(settings: TraceSettings) {
    this.settings = settings;
    this.steps = reaches(settings.level, "debug");
  }

  /**
   * Whether this call is recorded. `callerSampled`: what the caller decided, undefined without a caller. A caller whose
   * trace we join decides for us, in both directions, unless a rule says off.
   */
  takes(method: MethodDescriptor, callerSampled: boolean | undefined): boolean {
    const share = this.#shares.get(method) ?? this.#note(method);
    if (share === "off" || (callerSampled === false && this.settings.type === "collated")) return false;
    return callerSampled === true || share === perMillionAll || Math.random() * perMillionAll < share;
  }

  #note(method: MethodDescriptor): Share {
    const share = shareOf(method, this.settings);
    this.#shares.set(method, share);
    return share;
  }
}

function shareOf(method: MethodDescriptor, { level, rules, samplingPerMillion }: TraceSettings): Share {
  if (starters.has(method.path)) return "off";
  const needed: TraceLevel = chatter.has(method.name) ? "trace" : "info";
  if (!reaches(level, needed)) return "off";
  return rules.find((rule) => matches(rule, method))?.perMillion ?? samplingPerMillion;
}

function reaches(level: TraceLevel, needed: TraceLevel): boolean {
  return traceLevels.indexOf(level) >= traceLevels.indexOf(needed);
}

function matches({ pattern }: TraceRule, { name, path }: MethodDescriptor): boolean {
  const text = pattern.includes("/") ? path : name;
  const parts = pattern.split("*");
  // Every part in its order, the first at the start and the last at the end: no pattern can make this slow.
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const found = index === parts.length - 1 ? text.lastIndexOf(part) : text.indexOf(part, at);
    if (found < at || (index === 0 && found !== 0)) return false;
    at = found + part.length;
  }
  return at === text.length;
}
