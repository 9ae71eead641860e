import { UsageError } from "./usage-error.ts";

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const maxMs = 24 * unitsMs.h;

/**
 * Reads a duration such as `500ms`, `30s`, `1.5m` or `0`; a bare number counts seconds. Result in milliseconds, 0 = no limit.
 * @throws UsageError for anything else, and beyond a day.
 */
export function parseDurationMs(value: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(value) ?? [];
  const ms = Math.round(Number(digits) * unitsMs[unit as keyof typeof unitsMs]);
  if (digits === undefined || ms > maxMs)
    throw new UsageError(`not a duration: ${value} (try 500ms, 30s, 5m)`);
  return ms;
}
