import { Parser, type Result } from "tap-parser";

/** What has come of one file so far. */
type FileTally = { readonly name: string; readonly results: Result[]; readonly lines: string[] };

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
  passed = 0;
  failed = 0;
  skipped = 0;
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
      this.#closeFile({ ...own, name }, file?.results ?? [], file?.lines ?? []);
      file = undefined;
    });
  }

  /** The closing line: `12 passed, 0 failed` and, when any, `, 1 skipped`. */
  summary(): string {
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : "";
    return `${this.passed} passed, ${this.failed} failed${skipped}`;
  }

  #closeFile(own: FileResult, results: readonly Result[], lines: string[]): void {
    const failures = results.filter(isFailure);
    const skips = results.filter((result) => result.skip);
    if (own.skip) skips.push(own);
    const broken = isFailure(own) && failures.length === 0;
    if (isFailure(own)) lines.push(...howItEnded(own));
    const failed = failures.length + (broken ? 1 : 0);
    const passed = results.length - failures.length - results.filter((result) => result.skip).length;
    this.passed += passed;
    this.failed += failed;
    this.skipped += skips.length;
    const counts = [
      `${passed} passed`,
      ...(failed ? [`${failed} FAILED`] : []),
      ...(skips.length ? [`${skips.length} skipped`] : []),
    ];
    this.#say(
      `${failed ? "✗" : "✓"} ${own.name}: ${counts.join(", ")} (${((own.time ?? 0) / 1000).toFixed(1)} s)`,
    );
    for (const skip of skips) this.#say(`  - ${skip.name}: ${skip.skip === true ? "skipped" : skip.skip}`);
    for (const line of lines) this.#say(line);
  }
}

const expiredIn = (own: Result): string | undefined => (own.diag as { expired?: string } | null)?.expired;

const isFailure = (result: FileResult): boolean => !result.ok && !result.skip && !result.todo;

function watch(file: Parser): FileTally {
  const results: Result[] = [];
  const lines: string[] = [];
  // Innermost first, so a test that failed only because a test in it failed need not be told again.
  const collectFailures = (parser: Parser, trail: string): void => {
    parser.on("child", (child: Parser) => collectFailures(child, join(trail, child.name)));
    parser.on("assert", (result: Result) => {
      const title = join(trail, result.name);
      if (isFailure(result) && !lines.some((line) => line.startsWith(`  ✗ ${title}`))) {
        lines.push(`  ✗ ${title}`, ...diagnostics(result));
      }
    });
  };
  collectFailures(file, "");
  file.on("assert", (result: Result) => results.push(result));
  return { name: file.name, results, lines };
}

const join = (trail: string, name: string): string => [trail, name].filter(Boolean).join(" › ");

/** What tap tells about a failure, without the parts that repeat the source. */
function diagnostics(result: Result): string[] {
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
  return lines.map((line) => `    ${line}`);
}

/** Why the whole file counts as failed: its exit code, the signal that ended it, or that its time was up. */
function howItEnded(own: FileResult): string[] {
  const { exitCode, signal, expired } = (own.diag ?? {}) as Record<
    "exitCode" | "signal" | "expired",
    unknown
  >;
  if (expired) return [`  ✗ ended because its time was up (${String(signal ?? "SIGTERM")})`];
  if (signal) return [`  ✗ ended by ${String(signal)}`];
  return typeof exitCode === "number" && exitCode !== 1 ? [`  ✗ ended with exit code ${exitCode}`] : [];
}
