import type { SecondTry } from "./test-closing.ts";
import type { Outcome } from "./test-tally.ts";

/** Runs test files, `jobs` at a time, and tells what came of each. */
export type RunFiles = (names: readonly string[], jobs: number) => Promise<FileRun>;

/** How the runner itself ended, and what it told of each file. */
export type FileRun = {
  readonly ended: number | string;
  readonly outcomes: ReadonlyMap<string, Outcome>;
};

/** What is left to say: the last outcome of each file, and which of them needed a second try. */
export type TestRun = {
  readonly ended: number | string;
  readonly outcomes: readonly Outcome[];
  readonly secondTries: readonly SecondTry[];
};

// More than these are no chance.
const maxFiles = 3;

/**
 * Runs the files, and each of at most three that failed once more, alone and after all others: guests are emulated on
 * machines that others use, and one stall in a thousand tests says nothing about the change that is tested. A file that
 * passes then has passed, and is told as a second try, which is a fault of the test or the product all the same.
 */
export async function runWithSecondTry(
  names: readonly string[],
  jobs: number,
  run: RunFiles,
  say: (line: string) => void,
): Promise<TestRun> {
  const { ended, outcomes } = await runAll(names, jobs, run);
  const last = new Map(outcomes);
  const failed = [...outcomes.values()].filter((each) => each.failed > 0);
  // tap ends with 1 when tests failed; with anything else it was told to stop, or broke.
  const again = ended === 1 && failed.length <= maxFiles ? failed : [];
  const secondTries: SecondTry[] = [];
  for (const first of again) {
    const { name } = first;
    say(`once more, alone: ${name}`);
    const second = await run([name], 1);
    const outcome = second.outcomes.get(name);
    if (outcome?.failed === 0 && second.ended !== 0) continue;
    if (outcome !== undefined) last.set(name, outcome);
    if (outcome?.failed === 0) secondTries.push({ name, first });
  }
  return { ended: failed.length > 0 && ended === 1 ? 0 : ended, outcomes: [...last.values()], secondTries };
}

/**
 * Runs the files, and those again of which nothing was heard: when one runs out of time, tap does not go on with the
 * others. What is never heard of has failed.
 */
async function runAll(names: readonly string[], jobs: number, run: RunFiles): Promise<FileRun> {
  const outcomes = new Map<string, Outcome>();
  const unheard = () => names.filter((name) => !outcomes.has(name));
  let ended: number | string = 0;
  for (let left = names; left.length > 0; ) {
    const part = await run(left, jobs);
    for (const [name, outcome] of part.outcomes) outcomes.set(name, outcome);
    ended = part.ended === 0 ? ended : part.ended;
    if (unheard().length === left.length || (ended !== 0 && ended !== 1)) break;
    left = unheard();
  }
  for (const name of unheard()) outcomes.set(name, silent(name));
  return { ended, outcomes };
}

function silent(name: string): Outcome {
  const failures = [{ title: "nothing was heard of it", at: undefined, diagnostics: [] }];
  return { name, passed: 0, failed: 1, skipped: 0, failures };
}
