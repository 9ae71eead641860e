/** Tracing switched from outside: the calls of Kata 1.x, and our own with more to say (docs/protocol.md). */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { AgentService, TraceControl } from "../gen/methods.ts";
import type { TraceStatus } from "../gen/trace-control.ts";
import type { Call } from "../rpc/call.ts";
import {
  formatRules,
  parseRules,
  perMillionAll,
  type TraceLevel,
  type TracingMode,
  traceLevels,
} from "../trace/trace-settings.ts";
import type { TraceSwitch } from "../trace/trace-switch.ts";
import type { Rooms } from "./rooms.ts";

const maxFlushMs = 60_000;
const refused = (text: string) => new AgentError(Code.failedPrecondition, text);
const invalid = (text: string) => new AgentError(Code.invalidArgument, text);

/** StartTracing and StopTracing with the rules of 1.x (wire-and-tracing 5). */
export function tracingCalls({ tracing }: Rooms): Pick<AgentService<Call>, "StartTracing" | "StopTracing"> {
  return {
    async StartTracing() {
      if (tracing.begunByCall) throw refused("tracing already enabled");
      await tracing.start({ by: "call", type: "isolated" });
      return {};
    },
    async StopTracing() {
      if (tracing.stopping) throw refused("tracing already disabled");
      if (!tracing.on) throw refused("tracing not enabled");
      // The trace ends after this call, which is its last one.
      tracing.stopSoon();
      return {};
    },
  };
}

/** Our own service. */
export function traceControl({ tracing }: Rooms): TraceControl<Call> {
  return {
    Status: async () => statusOf(tracing),
    async Start({ type }) {
      if (tracing.on) throw refused("tracing already enabled");
      await tracing.start({ by: "call", type: typeOf(type) ?? tracing.state().settings.type });
      return statusOf(tracing);
    },
    async Stop() {
      if (!tracing.on) throw refused("tracing not enabled");
      await tracing.stop();
      return statusOf(tracing);
    },
    async Configure({ level, sampling_per_million, rules, address }) {
      const change = {
        ...(level === undefined ? {} : { level: levelOf(level) }),
        ...(sampling_per_million === undefined ? {} : { samplingPerMillion: share(sampling_per_million) }),
        ...(rules === undefined ? {} : { rules: rulesOf(rules) }),
      };
      if (address !== undefined) tracing.retarget(address);
      tracing.configure(change);
      return statusOf(tracing);
    },
    async Flush({ timeout_ms }) {
      const whole = await tracing.flush(timeout_ms === 0 ? undefined : Math.min(timeout_ms, maxFlushMs));
      if (!whole) throw new AgentError(Code.deadlineExceeded, "not every span was acknowledged in time");
      return statusOf(tracing);
    },
  };
}

function statusOf(tracing: TraceSwitch): TraceStatus {
  const { on, settings, address, report, open, traceId } = tracing.state();
  return {
    on,
    type: settings.type,
    level: settings.level,
    sampling_per_million: settings.samplingPerMillion,
    rules: formatRules(settings.rules),
    address,
    sent: BigInt(report.sent),
    pending: BigInt(report.pending),
    open: BigInt(open),
    dropped: new Map(Object.entries(report.droppedBy).map(([reason, count]) => [reason, BigInt(count)])),
    trace_id: traceId,
  };
}

function typeOf(word: string): TracingMode | undefined {
  if (word === "") return undefined;
  if (word === "isolated" || word === "collated") return word;
  throw invalid("type is isolated or collated");
}

function levelOf(word: string): TraceLevel {
  const level = traceLevels.find((each) => each === word);
  if (level === undefined) throw invalid(`level is one of ${traceLevels.join(", ")}`);
  return level;
}

function share(perMillion: number): number {
  if (perMillion > perMillionAll) throw invalid("sampling is at most 1000000 per million");
  return perMillion;
}

function rulesOf(text: string) {
  const rules = parseRules(text);
  if (rules === undefined) throw invalid("rules are PATTERN:off or PATTERN:NUMBER, comma between");
  return rules;
}
