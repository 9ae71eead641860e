import { type LoggerOptions, pino } from "pino";
import type { Log } from "../base/log.ts";
import { logIds, noteLogLine } from "../trace/log-line.ts";
import { lineFields } from "./log-line.ts";
import type { LogTarget } from "./log-target.ts";
import type { LogLevel } from "./options/option-readers.ts";

/** The reference's words for the levels, which runtime-rs reads (agent-api 6.6). */
const levelWords: Readonly<Record<string, string>> = {
  fatal: "CRIT",
  error: "ERRO",
  warn: "WARN",
  info: "INFO",
  debug: "DEBG",
  trace: "TRCE",
};

/** From here on a line is also an event of the span that it was written in; the number is pino's of `warn`. */
const eventLevel = 40;

/**
 * A log that writes JSON lines in the reference's form (agent-api 6.6) into `target`. A line that is written within a span
 * tells its ids.
 */
export function createLog(level: LogLevel, target: LogTarget): Log {
  const options: LoggerOptions = {
    level,
    mixin: logIds,
    hooks: {
      logMethod(args, write, number) {
        const [, message] = args;
        if (number >= eventLevel && typeof message === "string") noteLogLine(wordOf(number), message);
        write.apply(this, args);
      },
    },
    base: lineFields,
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: levelWords[label] ?? label }) },
  };
  return pino(options, target);
}

function wordOf(number: number): string {
  return levelWords[pino.levels.labels[number] ?? ""] ?? "";
}
