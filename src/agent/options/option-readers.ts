import { parseRules, perMillionAll, type TraceLevel, type TracingMode } from "../../trace/trace-settings.ts";
import { traceWord } from "../../trace/trace-words.ts";
import { parseAddress } from "../../vsock/address.ts";

/** How much is logged. */
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/** When tracing begins. */
export type TraceMode = "static" | "dynamic";

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

/** The entry of a table; what every object inherits, such as `constructor`, is no entry. */
const entry = <T>(table: Readonly<Record<string, T>>, word: string): T | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined;

/** A log level in any of the reference's spellings (agent-api 2.2). */
export const level: Reader<LogLevel> = (value) =>
  typeof value === "string" ? entry(levels, value) : undefined;

/** Text that is not empty. */
export const text: Reader<string> = (value) =>
  typeof value === "string" && value !== "" ? value : undefined;

/** An address in any of the forms of `vsock/address.ts`. */
export const address: Reader<string> = (value) => {
  const given = text(value);
  if (given === undefined) return undefined;
  try {
    parseAddress(given);
    return given;
  } catch {
    return undefined;
  }
};

/** A VSOCK port to listen on, as its address; off the guest an address may be given instead. 0 = none, empty. */
export const listenerPort: Reader<string> = (value) => {
  const port = wholeNumber(value);
  if (port !== undefined) return port === 0 ? "" : `vsock://-1:${port}`;
  return address(value);
};

/** Text that is one of these words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  return (value) => words.find((word) => word === value);
}

/** A bare word on the command line, which cannot say no; a boolean in a file. */
export const flag: Reader<boolean> = (value) => (typeof value === "boolean" ? value : undefined);

/** `true`, `false`, or a number that says so by not being 0; a bare word means yes. */
export const bool: Reader<boolean> = (value) => {
  if (typeof value === "string" && /^\d{1,19}$/.test(value)) return BigInt(value) !== 0n;
  return trueOrFalse(value);
};

/** `true` or `false` in words. */
export const trueOrFalse: Reader<boolean> = (value) => {
  if (typeof value === "boolean") return value;
  return value === "true" ? true : value === "false" ? false : undefined;
};

/** A whole URL. */
export const url: Reader<string> = (value) => {
  const given = text(value);
  return given !== undefined && URL.canParse(given) ? given : undefined;
};

const maxInteger = 2n ** 63n - 1n;

/** A whole number from 0 to 2^63−1. */
export const integer: Reader<bigint> = (value) => {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  const given = typeof value === "string" && /^\d{1,19}$/.test(value) ? BigInt(value) : value;
  return typeof given === "bigint" && given >= 0n && given <= maxInteger ? given : undefined;
};

/** A whole number from 0 to 255. */
export const byte: Reader<number> = (value) => {
  const number = wholeNumber(value);
  return number !== undefined && number <= 0xff ? number : undefined;
};

/** A whole number from 0 to 2^31−1. */
export const wholeNumber: Reader<number> = (value) => {
  const number = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 2 ** 31
    ? number
    : undefined;
};

/** What a timer of Node can hold, 24.8 days: with more it would fire at once. */
const maxTimerMs = 0x7fff_ffff;

/**
 * Seconds as milliseconds, at most 24.8 days; a file may also say `{ secs, nanos }` (agent-api 2.4). 0 is no time-out
 * and refused.
 */
export const seconds: Reader<number> = (value) => {
  const [secs, nanos] = isDuration(value) ? [value.secs, value.nanos ?? 0] : [value, 0];
  const [whole, rest] = [wholeNumber(secs), wholeNumber(nanos)];
  if (whole === undefined || rest === undefined) return undefined;
  const ms = whole * 1000 + Math.round(rest / 1e6);
  return ms === 0 ? undefined : Math.min(ms, maxTimerMs);
};

function isDuration(value: unknown): value is { secs: unknown; nanos?: unknown } {
  return typeof value === "object" && value !== null && "secs" in value;
}

/** Whether and how to trace, in any spelling of any version. */
export const trace: Reader<TracingMode | "off"> = traceWord;

const traceModes: Readonly<Record<string, TraceMode>> = { static: "static", dynamic: "dynamic" };

/** When tracing begins: at boot, or when a call asks for it. */
export const traceMode: Reader<TraceMode> = (value) =>
  typeof value === "string" ? entry(traceModes, value.toLowerCase()) : undefined;

/** How much is traced; the words of {@link level} that mean the same are taken too. */
export const traceLevel: Reader<TraceLevel> = (value) => {
  const word = level(typeof value === "string" ? value.toLowerCase() : value);
  return word === "fatal" ? "error" : word;
};

/** So many of a million, 0 to 1,000,000. */
export const perMillion: Reader<number> = (value) => {
  const number = wholeNumber(value);
  return number !== undefined && number <= perMillionAll ? number : undefined;
};

/** Rules of tracing as text; a file may also have a list of them. */
export const traceRules: Reader<string> = (value) => {
  const text = Array.isArray(value) ? value.join(",") : value;
  return typeof text === "string" && parseRules(text) !== undefined ? text : undefined;
};

/** Keys of annotations, comma between; empty for none. */
export const annotationKeys: Reader<string> = (value) =>
  typeof value === "string" && /^[\w./,-]{0,1024}$/.test(value) ? value : undefined;
