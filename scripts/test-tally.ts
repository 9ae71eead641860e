import { Parser, type Result } from "tap-parser";

/** One thing that failed: the names on the way to it, where in the sources, and what tap tells about it. */
export type Failure = {
  readonly title: string;
  /** `test/x.test.ts:12`; not known of a file that died. */
  readonly at: string | undefined;
  readonly diagnostics: readonly string[];
};

/** What has come of one file. */
export type Outcome = {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
};

/** What has come of one file so far. */
type FileTally = { readonly name: string; readonly results: Result[]; readonly failures: Failure[] };

/** The result of a whole file, under the name of the file. */
type FileResult = Result & { readonly name: string };

/**
 * Counts what a TAP stream of test files reports and says it line by line.
 *
 * The stream nests: a file holds tests, a test holds assertions. Counted are the tests of each file (or its
 * assertions, where a file has them bare); a file that failed with no failed test in it, by a crash or by running
 * out of time, counts as one failure.
 */
export class Tally {
  readonly parser = new Parser();
  /** By the name of the file. */
  readonly outcomes = new Map<string, Outcome>();
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
    let file: FileTally | undefined;
    // Each child of the top level is one file, and its own children's results are in before its own is.
    this.parser.on("child", (child: Parser) => {
      file = watch(child);
    });
    this.parser.on("assert", (own: Result) => {
      // A file that ran out of time may have no part of its own in the stream, only this result.
      const name = file?.name ?? expiredIn(own) ?? own.name;
      this.#closeFile({ ...own, name }, file?.results ?? [], file?.failures ?? []);
      file = undefined;
    });
  }

  #closeFile(own: FileResult, results: readonly Result[], collected: readonly Failure[]): void {
    const failed = results.filter(isFailure).length;
    const skips = results.filter((result) => result.skip);
    const passed = results.length - failed - skips.length;
    if (own.skip) skips.push(own);
    const before = this.outcomes.get(own.name);
    const broken = isFailure(own) && failed === 0 && !before?.failed;
    const failures = [...(before?.failures ?? []), ...collected, ...(isFailure(own) ? howItEnded(own) : [])];
    const counts = {
      passed: passed + (before?.passed ?? 0),
      failed: failed + (broken ? 1 : 0) + (before?.failed ?? 0),
      skipped: skips.length + (before?.skipped ?? 0),
    };
    this.#close({ name: own.name, ...counts, failures }, own.time ?? 0, skips);
  }

  #close(outcome: Outcome, ms: number, skips: readonly Result[]): void {
    const { name, passed, failed, skipped, failures } = outcome;
    this.outcomes.set(name, outcome);
    const counts = [
      `${passed} passed`,
      ...(failed ? [`${failed} FAILED`] : []),
      ...(skipped ? [`${skipped} skipped`] : []),
    ];
    this.#say(`${failed ? "✗" : "✓"} ${name}: ${counts.join(", ")} (${(ms / 1000).toFixed(1)} s)`);
    for (const skip of skips) this.#say(`  - ${skip.name}: ${skip.skip === true ? "skipped" : skip.skip}`);
    for (const { title, diagnostics } of failures) {
      this.#say(`  ✗ ${title}`);
      for (const line of diagnostics) this.#say(`    ${line}`);
    }
  }
}

const expiredIn = (own: Result): string | undefined => (own.diag as { expired?: string } | null)?.expired;

const isFailure = (result: Result): boolean => !result.ok && !result.skip && !result.todo;

function watch(file: Parser): FileTally {
  const results: Result[] = [];
  const failures: Failure[] = [];
  // Innermost first, so a test that failed only because a test in it failed need not be told again.
  const collectFailures = (parser: Parser, trail: string): void => {
    parser.on("child", (child: Parser) => collectFailures(child, join(trail, child.name)));
    parser.on("assert", (result: Result) => {
      const title = join(trail, result.name);
      if (isFailure(result) && !failures.some((failure) => failure.title.startsWith(title))) {
        failures.push({ title, at: placeOf(result), diagnostics: diagnosticsOf(result) });
      }
    });
  };
  collectFailures(file, "");
  file.on("assert", (result: Result) => results.push(result));
  return { name: file.name, results, failures };
}

const join = (trail: string, name: string): string => [trail, name].filter(Boolean).join(" › ");

function placeOf({ diag }: Result): string | undefined {
  const { fileName, lineNumber } = (diag?.["at"] ?? {}) as { fileName?: string; lineNumber?: number };
  return fileName === undefined ? undefined : `${fileName}:${lineNumber}`;
}

/** What tap tells about a failure, without the parts that repeat the source. */
function diagnosticsOf(result: Result): string[] {
  const lines: string[] = [];
  for (const [key, value] of Object.entries(result.diag ?? {})) {
    if (key === "at" || key === "source" || key === "tapCaught") continue;
    const text = typeof value === "string" ? value.trimEnd() : JSON.stringify(value, null, 2);
    const [first, ...rest] = text.split("\n");
    lines.push(
      ...(rest.length > 0
        ? [`${key}:`, ...text.split("\n").map((line) => `  ${line}`)]
        : [`${key}: ${first}`]),
    );
  }
  return lines;
}

/** Why the whole file counts as failed: its exit code, the signal that ended it, or that its time was up. */
function howItEnded(own: FileResult): Failure[] {
  const { exitCode, signal, expired } = (own.diag ?? {}) as Record<
    "exitCode" | "signal" | "expired",
    unknown
  >;
  const told = (title: string): Failure[] => [{ title, at: undefined, diagnostics: [] }];
  if (expired) return told(`ended because its time was up (${String(signal ?? "SIGTERM")})`);
  if (signal) return told(`ended by ${String(signal)}`);
  return typeof exitCode === "number" && exitCode !== 1 ? told(`ended with exit code ${exitCode}`) : [];
}
