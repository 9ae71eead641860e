/** Where a call's span hangs: below the sandbox's root with a link to the caller, or below the caller itself. */
export type TracingMode = "isolated" | "collated";

/** How much becomes a span, from little to everything; docs/spans.md says what each level holds. */
export const traceLevels = ["error", "warn", "info", "debug", "trace"] as const;

/** One of {@link traceLevels}. */
export type TraceLevel = (typeof traceLevels)[number];

/** A method pattern (`*` for any text) and what it means: never, or so many calls of a million. */
export type TraceRule = { readonly pattern: string; readonly perMillion: number | "off" };

/** What of the calls is recorded. All of it may change while tracing is on. */
export type TraceSettings = {
  readonly type: TracingMode;
  readonly level: TraceLevel;
  /** Of the calls whose caller did not sample them; 0 = only those that the caller did. */
  readonly samplingPerMillion: number;
  /** The first that matches counts. */
  readonly rules: readonly TraceRule[];
};

/** A sampling of every call. */
export const perMillionAll = 1_000_000;

/** Everything, isolated. */
export const fullSettings: TraceSettings = {
  type: "isolated",
  level: "trace",
  samplingPerMillion: perMillionAll,
  rules: [],
};

const maxRules = 64;
const ruleForm = /^([\w.*/]{1,128}):(off|\d{1,7})$/;

/**
 * Reads rules as `Check:off,Read*:1000,grpc.Health/*:off`: method name or full name, and `off` or a number up to a
 * million. Undefined when anything in it is no rule; empty text has none.
 */
export function parseRules(text: string): readonly TraceRule[] | undefined {
  if (text === "") return [];
  const rules: TraceRule[] = [];
  for (const part of text.split(",")) {
    const [, pattern, word] = ruleForm.exec(part.trim()) ?? [];
    if (pattern === undefined || word === undefined || rules.length === maxRules) return undefined;
    const perMillion = word === "off" ? "off" : Number(word);
    if (perMillion !== "off" && perMillion > perMillionAll) return undefined;
    rules.push({ pattern, perMillion });
  }
  return rules;
}

/** The text that {@link parseRules} reads. */
export function formatRules(rules: readonly TraceRule[]): string {
  return rules.map(({ pattern, perMillion }) => `${pattern}:${perMillion}`).join(",");
}
