import type { Spent } from "./export.ts";
import { scrubTexts } from "./scrub-texts.ts";
import { TookTooLong } from "./within-time.ts";

/** Nothing else is done meanwhile, and what comes at once may be thousands of lines. */
const longestMs = 2_000;
const notRead = "[scrubbed]";

/**
 * Lines of a guest's log that came together, without what the patterns find in them: all at once, as to watch the time
 * takes a thread; where that takes too long one by one, and beyond two seconds not at all. A line in which secrets could
 * not be looked for is `[scrubbed]`.
 */
export function scrubLines(lines: readonly string[], patterns: readonly RegExp[], spent: Spent): string[] {
  const together = inTime(lines, patterns, spent);
  if (together !== undefined) return together;
  let spentMs = 0;
  const spentOnOne: Spent = (ms) => {
    spentMs += ms;
    spent(ms);
  };
  return lines.map((line) => {
    const [clean] = (spentMs < longestMs && inTime([line], patterns, spentOnOne)) || [];
    return clean ?? notRead;
  });
}

/** Undefined when it takes too long. */
function inTime(lines: readonly string[], patterns: readonly RegExp[], spent: Spent): string[] | undefined {
  try {
    return scrubTexts(lines, patterns, spent);
  } catch (error) {
    if (error instanceof TookTooLong) return undefined;
    throw error;
  }
}
