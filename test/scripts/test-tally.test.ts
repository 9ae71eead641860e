import { test } from "tap";
import { closingLines } from "../../scripts/test-closing.ts";
import { Tally } from "../../scripts/test-tally.ts";

/** What the tally says of one run, given as TAP, and its last line. */
async function tallyOf(tap: string): Promise<{ said: string; summary: string | undefined }> {
  const said: string[] = [];
  const tally = new Tally((line) => said.push(line));
  const complete = new Promise((resolve) => tally.parser.once("complete", resolve));
  tally.parser.end(`TAP version 14\n${tap}`);
  await complete;
  return { said: said.join("\n"), summary: closingLines([...tally.outcomes.values()], []).at(-1) };
}

const passing = `# Subtest: test/a.test.ts
    # Subtest: one
        ok 1 - yes
        ok 2 - yes
        1..2
    ok 1 - one
    ok 2 - two # SKIP no QEMU here
    1..2
ok 1 - test/a.test.ts # time=1500ms
`;

const failing = `# Subtest: test/b.test.ts
    # Subtest: outer
        # Subtest: inner
            not ok 1 - numbers
              ---
              compare: ===
              ...
            1..1
        not ok 1 - inner
        1..1
    not ok 1 - outer
    1..1
not ok 2 - test/b.test.ts # time=10ms
`;

const killed = `# Subtest: test/c.test.ts
    ok 1 - began
    1..1
not ok 3 - test/c.test.ts # time=10ms
  ---
  signal: SIGKILL
  ...
`;

test("tests are counted, not their assertions, and skips give their reason", async (t) => {
  const { summary, said } = await tallyOf(`${passing}1..1\n`);
  t.equal(summary, "1 passed, 0 failed, 1 skipped");
  t.match(said, /✓ test\/a\.test\.ts: 1 passed, 1 skipped \(1\.5 s\)\n {2}- two: no QEMU here/);
});

test("a failure deep inside is one failed test, told once and with its diagnostics", async (t) => {
  const { summary, said } = await tallyOf(`${passing}${failing}1..2\n`);
  t.equal(summary, "1 passed, 1 failed, 1 skipped");
  t.equal(said.match(/✗/g)?.length, 2, "the file and the assertion");
  t.match(said, /✗ outer › inner › numbers\n {4}compare: ===/);
});

test("a file that died counts as a failure though none of its tests failed", async (t) => {
  const { summary, said } = await tallyOf(`${killed}1..1\n`);
  t.equal(summary, "1 passed, 1 failed");
  t.match(said, /ended by SIGKILL/);
});

test("a file that ran out of time is named, though it has no part of its own in the stream", async (t) => {
  const expired = "not ok 2 - timeout!\n  ---\n  expired: test/d.test.ts\n  ...\n";
  const { summary, said } = await tallyOf(`${passing}${expired}1..2\n`);
  t.equal(summary, "1 passed, 1 failed, 1 skipped");
  t.match(said, /✗ test\/d\.test\.ts/);
  t.match(said, /time was up/);
});

test("nothing skipped is not mentioned", async (t) => {
  const { summary } = await tallyOf("1..0\n");
  t.equal(summary, "0 passed, 0 failed");
});

test("a file that ran out of time and is reported twice is one failure, told with its test", async (t) => {
  const hung = `# Subtest: test/e.test.ts
    not ok 1 - hangs
      ---
      expired: TAP
      ...
    1..1
not ok 1 - test/e.test.ts
  ---
  signal: SIGALRM
  ...
not ok 2 - timeout!
  ---
  expired: test/e.test.ts
  ...
`;
  const { summary, said } = await tallyOf(`${hung}1..2\n`);
  t.equal(summary, "0 passed, 1 failed");
  t.match(said, /✗ hangs\n[\s\S]*time was up/);
});
