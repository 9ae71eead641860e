import { pino } from "pino";
import type { Log } from "../base/log.ts";
import { lineFields } from "./log-line.ts";
import type { LogTarget } from "./log-target.ts";
import type { LogLevel } from "./option-readers.ts";

/** The reference's words for the levels, which runtime-rs reads (agent-api 6.6). */
const levelWords: Readonly<Record<string, string>> = {
  fatal: "CRIT",
  error: "ERRO",
  warn: "WARN",
  info: "INFO",
  debug: "DEBG",
  trace: "TRCE",
};

/** A log that writes JSON lines in the reference's form (agent-api 6.6) into `target`. */
export function createLog(level: LogLevel, target: LogTarget): Log {
  const options = {
    level,
    base: lineFields,
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: levelWords[label] ?? label }) },
  };
  return pino(options, target);
}
