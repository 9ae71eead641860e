import { version } from "../base/version.ts";
import type { KernelLogRecord } from "../sys/kernel-log.ts";
import type { LogLevel } from "./options/option-readers.ts";

/** The reference's words (agent-api 6.6) for the severities of syslog(3), the gravest first. */
const levelWords = ["CRIT", "CRIT", "CRIT", "ERRO", "WARN", "INFO", "INFO", "DEBG"] as const;

const severities: Readonly<Record<LogLevel, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
};

/** The least important severity that a log of this level still holds. */
export function severityOf(level: LogLevel): number {
  return severities[level];
}

/** `systemd[1]: text`, as processes write it. */
const writer = /^([^\s[\]:]{1,64})(?:\[(\d{1,10})\])?: /;
const microsecondsPerMs = 1000;
const nanosecondsPerUs = 1000n;

/**
 * A record as a line in the form of the agent's own log (agent-api 6.6), so that whoever reads that reads both: `source`
 * is `journal`, `subsystem` is `kernel` or `guest`, `name` and `pid` are the writer's as far as it has told them.
 */
export function journalLine({ severity, facility, atUs, text }: KernelLogRecord): string {
  const [said = "", name = "unknown", pid = "0"] =
    facility === 0 ? ["", "kernel"] : (writer.exec(text) ?? []);
  const line = {
    level: levelWords[severity] ?? "INFO",
    ts: wallTime(atUs),
    version,
    subsystem: facility === 0 ? "kernel" : "guest",
    pid,
    name,
    source: "journal",
    msg: text.slice(said.length),
  };
  return `${JSON.stringify(line)}\n`;
}

/** A time of the monotonic clock as that of the wall, as it is set now. A time out of reach is now. */
function wallTime(atUs: number): string {
  const nowUs = Number(process.hrtime.bigint() / nanosecondsPerUs);
  const agoMs = Math.max(0, nowUs - atUs) / microsecondsPerMs;
  return new Date(Math.max(0, Date.now() - agoMs)).toISOString();
}
