import type { TracingMode } from "../trace/tracing-options.ts";

/** How much is logged. */
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/**
 * Reads one option value: `true` for a bare word on the command line, text from command line and environment, any
 * TOML value from a file. Undefined = not a value of this kind.
 */
export type Reader<T> = (value: unknown) => T | undefined;

const levels: Readonly<Record<string, LogLevel>> = {
  fatal: "fatal",
  panic: "fatal",
  critical: "fatal",
  error: "error",
  warn: "warn",
  warning: "warn",
  info: "info",
  debug: "debug",
  trace: "trace",
};

/** A log level in any of the reference's spellings (agent-api 2.2). */
export const level: Reader<LogLevel> = (value) => (typeof value === "string" ? levels[value] : undefined);

/** Text that is not empty. */
export const text: Reader<string> = (value) =>
  typeof value === "string" && value !== "" ? value : undefined;

/** A whole number from 0 to 2^31−1. */
export const wholeNumber: Reader<number> = (value) => {
  const number = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 2 ** 31
    ? number
    : undefined;
};

/** Seconds as milliseconds; a file may also say `{ secs, nanos }` (agent-api 2.4). 0 is no time-out and refused. */
export const seconds: Reader<number> = (value) => {
  if (typeof value === "object" && value !== null && "secs" in value) {
    const { secs, nanos } = value as { secs: unknown; nanos?: unknown };
    const whole = wholeNumber(secs);
    return whole === undefined ? undefined : whole * 1000 + Math.round(Number(nanos ?? 0) / 1e6);
  }
  const whole = wholeNumber(value);
  return whole === undefined || whole === 0 ? undefined : whole * 1000;
};

const traceWords: Readonly<Record<string, TracingMode | "off">> = {
  true: "isolated",
  isolated: "isolated",
  collated: "collated",
  false: "off",
  disabled: "off",
};

/** Whether and how to trace: the reference's boolean, and the words of older versions (wire-and-tracing 4.4). */
export const traceMode: Reader<TracingMode | "off"> = (value) => {
  const word = String(value).toLowerCase();
  if (/^\d+$/.test(word)) return Number(word) === 0 ? "off" : "isolated";
  return traceWords[word];
};
