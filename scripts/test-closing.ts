import type { Failure, Outcome } from "./test-tally.ts";

/** A file that failed in the run and passed when it was run once more, alone. */
export type SecondTry = { readonly name: string; readonly first: Outcome };

// Of a long log often only the end is shown; what failed has to stand there. With the last line and what make says
// after it this stays below twenty.
const maxLines = 15;
const maxColumns = 180;

/**
 * What is said when all tests have run: what failed, in few lines; what passed only at the second try; and the last line,
 * `12 passed, 0 failed` and, when any, `, 1 skipped`.
 */
export function closingLines(outcomes: readonly Outcome[], secondTries: readonly SecondTry[]): string[] {
  const entries = [
    ...outcomes.flatMap(({ name, failures }) =>
      failures.map((failure) => ({ line: `failed: ${name}: ${told(failure)}`, failure })),
    ),
    ...secondTries.map(({ name, first }) => ({
      line: `passed only at the second try: ${name} (its first failure: ${told(first.failures[0])})`,
      failure: first.failures[0],
    })),
  ];
  const shown = entries.length > maxLines ? entries.slice(0, maxLines - 1) : entries;
  const share = Math.floor((maxLines - shown.length) / Math.max(1, shown.length));
  const lines = shown.flatMap(({ line, failure }) => [clip(line), ...firstOf(failure, share)]);
  const more = entries.length - shown.length;
  if (more > 0) lines.push(`… and ${more} more, each told where its file ended`);
  return [...lines, summary(outcomes)];
}

function summary(outcomes: readonly Outcome[]): string {
  const sum = (key: "passed" | "failed" | "skipped") => outcomes.reduce((all, each) => all + each[key], 0);
  const skipped = sum("skipped");
  return `${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

const told = (failure: Failure | undefined): string =>
  failure === undefined ? "not told" : `${failure.title}${failure.at ? ` (${failure.at})` : ""}`;

/** The lines that tell most: what differs, without the frame and the parts that are alike. */
function firstOf(failure: Failure | undefined, count: number): string[] {
  const all = failure?.diagnostics ?? [];
  const differing = all.filter((line) => /^ +[-+](?!-- expected|\+\+ actual)/.test(line));
  const telling = differing.length > 0 ? differing : all.filter((line) => !/^\w+:$/.test(line));
  return telling.slice(0, count).map((line) => clip(`    ${line.trim()}`));
}

const clip = (line: string): string =>
  line.length > maxColumns ? `${line.slice(0, maxColumns - 1)}…` : line;
