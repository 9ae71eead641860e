import { test } from "tap";
import { closingLines } from "../../scripts/test-closing.ts";
import type { Failure, Outcome } from "../../scripts/test-tally.ts";

const outcome = (name: string, ...failures: Failure[]): Outcome => ({
  name,
  passed: 1,
  failed: failures.length,
  skipped: 0,
  failures,
});

const differing: Failure = {
  title: "outer › numbers",
  at: "test/a.test.ts:12",
  diagnostics: [
    "compare: ===",
    "diff:",
    "  --- expected",
    "  +++ actual",
    "  @@ -1,1 +1,1 @@",
    "  -2",
    "  +1",
  ],
};

test("each failure stands before the last line, with its place and what differs", (t) => {
  t.same(closingLines([outcome("test/a.test.ts", differing), outcome("test/b.test.ts")], []), [
    "failed: test/a.test.ts: outer › numbers (test/a.test.ts:12)",
    "    -2",
    "    +1",
    "2 passed, 1 failed",
  ]);
  t.end();
});

test("of what has no difference to show, the first lines are told", (t) => {
  const thrown = {
    title: "boom",
    at: undefined,
    diagnostics: ["stack:", "  run (src/a.ts:1)", "code: EPIPE"],
  };
  t.same(closingLines([outcome("test/a.test.ts", thrown)], []).slice(0, -1), [
    "failed: test/a.test.ts: boom",
    "    run (src/a.ts:1)",
    "    code: EPIPE",
  ]);
  t.end();
});

test("a second try is told in words, with the first failure", (t) => {
  const name = "test/a.test.ts";
  const [line, ...rest] = closingLines([outcome(name)], [{ name, first: outcome(name, differing) }]);
  t.equal(
    line,
    "passed only at the second try: test/a.test.ts (its first failure: outer › numbers (test/a.test.ts:12))",
  );
  t.same(rest, ["    -2", "    +1", "1 passed, 0 failed"]);
  t.end();
});

test("many failures and long lines stay within what the end of a log shows", (t) => {
  const long = {
    title: "x".repeat(1000),
    at: undefined,
    diagnostics: Array<string>(50).fill("y".repeat(1000)),
  };
  for (const count of [1, 4, 15, 16, 100]) {
    const files = Array.from({ length: count }, (_, n) => outcome(`test/${n}.test.ts`, long));
    const lines = closingLines(files, []);
    t.ok(lines.length <= 16, `${count} failures in ${lines.length} lines`);
    t.ok(lines.every((line) => line.length <= 180));
  }
  const lines = closingLines([outcome("test/a.test.ts", ...Array<Failure>(20).fill(differing))], []);
  t.equal(lines.at(-2), "… and 6 more, each told where its file ended");
  t.end();
});
