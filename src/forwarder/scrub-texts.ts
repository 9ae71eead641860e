import type { Spent } from "./export.ts";
import { TookTooLong, withinTime } from "./within-time.ts";

/**
 * The operator's patterns against texts that guests have written. V8 searches by trying, so a pattern may take time that
 * grows with the square of a text or worse, and a guest may send just that text: all but the simplest patterns have a
 * limit, and what they take is told. The simplest cannot take long: they are tried at each place, fixed characters or classes in a row, and what may
 * be repeated without end stands last, where nothing has to be tried again.
 */

const replacement = "[scrubbed]";
const simple = /^(?:[^\\()|*+?{}[\]]|\\[dws.\-/=]|\[\^?[^\\\]]+\])+[*+]?$/;
const limitMs = { each: 250, perMebibyte: 50 };
const mebibyte = 1024 * 1024;

/** Whether any of the patterns is in the text. @throws TookTooLong. */
export function isAnyIn(text: string, patterns: readonly RegExp[], spent?: Spent): boolean {
  return limited(text.length, patterns, spent, () =>
    patterns.some((pattern) => {
      pattern.lastIndex = 0;
      return pattern.test(text);
    }),
  );
}

/** The texts without what the patterns, which have the flag `g`, find in them. @throws TookTooLong. */
export function scrubTexts(texts: readonly string[], patterns: readonly RegExp[], spent?: Spent): string[] {
  const chars = texts.reduce((sum, { length }) => sum + length, 0);
  const scrub = (text: string) =>
    patterns.reduce((clean, pattern) => clean.replace(pattern, replacement), text);
  return limited(chars, patterns, spent, () => texts.map(scrub));
}

function limited<T>(chars: number, patterns: readonly RegExp[], spent: Spent | undefined, work: () => T): T {
  const isSimple = patterns.every(({ source }) => simple.test(source));
  const beganMs = performance.now();
  try {
    if (isSimple) return work();
    return withinTime(Math.ceil(limitMs.each + (limitMs.perMebibyte * chars) / mebibyte), work);
  } catch (error) {
    // All that V8 might go back to, or what comes of the text, has no room.
    if (error instanceof RangeError) throw new TookTooLong("it took too much memory");
    throw error;
  } finally {
    if (!isSimple) spent?.(performance.now() - beganMs);
  }
}
