import type { TracingMode } from "./trace-settings.ts";

/** The words of all versions (wire-and-tracing 4.4): a boolean, a type of trace, or 2.2's `disabled`. */
const words: Readonly<Record<string, TracingMode | "off">> = {
  true: "isolated",
  isolated: "isolated",
  collated: "collated",
  false: "off",
  disabled: "off",
};

/**
 * Whether and how to trace, from any spelling that ever was one, in upper or lower case; a number is off when it is 0.
 * Undefined when it is none.
 */
export function traceWord(value: unknown): TracingMode | "off" | undefined {
  const word = String(value).toLowerCase();
  if (/^\d+$/.test(word)) return Number(word) === 0 ? "off" : "isolated";
  return Object.hasOwn(words, word) ? words[word] : undefined;
}
