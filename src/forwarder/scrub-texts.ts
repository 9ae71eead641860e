import { withinTime } from "./within-time.ts";

/**
 * The operator's patterns against texts that guests have written. V8 searches by trying, so a pattern may take time that
 * grows with the square of a text or worse, and a guest may send just that text: all but the simplest patterns have a
 * limit. The simplest cannot take long: they are tried at each place, fixed characters or classes in a row, and what may
 * be repeated without end stands last, where nothing has to be tried again.
 */

const replacement = "[scrubbed]";
const simple = /^(?:[^\\()|*+?{}[\]]|\\[dws.\-/=]|\[\^?[^\\\]]+\])+[*+]?$/;
const limitMs = { each: 250, perMebibyte: 50 };
const mebibyte = 1024 * 1024;

/** Whether any of the patterns is in the text. @throws TookTooLong. */
export function isAnyIn(text: string, patterns: readonly RegExp[]): boolean {
  return limited(text.length, patterns, () =>
    patterns.some((pattern) => {
      pattern.lastIndex = 0;
      return pattern.test(text);
    }),
  );
}

/** The texts without what the patterns, which have the flag `g`, find in them. @throws TookTooLong. */
export function scrubTexts(texts: readonly string[], patterns: readonly RegExp[]): string[] {
  const chars = texts.reduce((sum, { length }) => sum + length, 0);
  const scrub = (text: string) =>
    patterns.reduce((clean, pattern) => clean.replace(pattern, replacement), text);
  return limited(chars, patterns, () => texts.map(scrub));
}

function limited<T>(chars: number, patterns: readonly RegExp[], work: () => T): T {
  if (patterns.every(({ source }) => simple.test(source))) return work();
  return withinTime(Math.ceil(limitMs.each + (limitMs.perMebibyte * chars) / mebibyte), work);
}
