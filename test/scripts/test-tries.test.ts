import { test } from "tap";
import type { Outcome } from "../../scripts/test-tally.ts";
import { runWithSecondTry, type TestRun } from "../../scripts/test-tries.ts";

/** The files that fail in each run, first to last; and how a run ended, when not by what came of its tests. */
type Script = {
  readonly names: readonly string[];
  readonly failing: readonly string[][];
  readonly ended?: string;
  /** How many files a run comes to; what is left is not told of. */
  readonly reach?: number;
};

const outcomeOf = (name: string, failed: boolean): Outcome => ({
  name,
  passed: failed ? 0 : 1,
  failed: failed ? 1 : 0,
  skipped: 0,
  failures: failed ? [{ title: "broken", at: undefined, diagnostics: [] }] : [],
});

async function play({
  names,
  failing,
  ended,
  reach,
}: Script): Promise<TestRun & { runs: [string[], number][] }> {
  const runs: [string[], number][] = [];
  const run = async (files: readonly string[], jobs: number) => {
    const broken = failing[runs.push([[...files], jobs]) - 1] ?? [];
    const outcomes = new Map(
      files.slice(0, reach).map((name) => [name, outcomeOf(name, broken.includes(name))]),
    );
    return { ended: ended ?? (broken.length > 0 ? 1 : 0), outcomes };
  };
  return { ...(await runWithSecondTry(names, 2, run, () => {})), runs };
}

const failedOf = ({ outcomes }: TestRun) =>
  outcomes.filter(({ failed }) => failed > 0).map(({ name }) => name);

test("what failed is run once more, alone, and counts by what came of that", async (t) => {
  const run = await play({ names: ["a", "b", "c", "d"], failing: [["a", "c"], [], ["c"]] });
  t.same(run.runs, [
    [["a", "b", "c", "d"], 2],
    [["a"], 1],
    [["c"], 1],
  ]);
  t.same(failedOf(run), ["c"]);
  t.same(
    run.secondTries.map(({ name }) => name),
    ["a"],
  );
  t.equal(run.secondTries[0]?.first.failed, 1, "the first failure can be told");
  t.equal(run.outcomes.length, 4);
  t.equal(run.ended, 0, "that tests failed is no fault of the runner");
});

test("nothing is run twice when nothing failed, or more than three files did", async (t) => {
  t.equal((await play({ names: ["a"], failing: [] })).runs.length, 1);
  const names = ["a", "b", "c", "d"];
  const run = await play({ names, failing: [names] });
  t.equal(run.runs.length, 1);
  t.same(failedOf(run), names);
});

test("a run that was told to stop is not followed by a second try", async (t) => {
  const run = await play({ names: ["a"], failing: [["a"]], ended: "SIGINT" });
  t.equal(run.runs.length, 1);
  t.equal(run.ended, "SIGINT");
  t.same(failedOf(run), ["a"]);
});

test("files that a run did not come to are run after it; what is never heard of has failed", async (t) => {
  const run = await play({ names: ["a", "b", "c"], failing: [["a"]], reach: 2 });
  t.same(
    run.runs.map(([files]) => files),
    [["a", "b", "c"], ["c"], ["a"]],
  );
  t.same(failedOf(run), []);
  const mute = await play({ names: ["a"], failing: [], reach: 0 });
  t.same(failedOf(mute), ["a"]);
});
