// Runs the tests and says what came out, one line per file as it ends:
//   node scripts/test.ts [file or folder …]      default: all of test/
// Failures come with their diagnostics, skips with their reason. When at most three files failed, each of them is run
// once more, alone. At the end stands in few lines what failed and what passed only at the second try, and as the last
// line `N passed, N failed` (`, N skipped` when any); what is counted are the tests inside the files. Ends with 0 only
// if something ran, nothing failed (or not again), and the runner itself ended well.
import { type ChildProcess, spawn } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { closingLines } from "./test-closing.ts";
import { Tally } from "./test-tally.ts";
import { type FileRun, runWithSecondTry } from "./test-tries.ts";

// Two files at a time: the machine this has to be quick on has two cores.
const jobs = 2;
// A file that boots VMs under emulation on a busy machine takes some minutes. This is for what hangs, so that no file
// sets a shorter one of its own.
const fileTimeoutS = 900;

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");
const say = (line: string) => void process.stdout.write(`${line}\n`);
const files = testFiles(process.argv.slice(2));
const { ended, outcomes, secondTries } = await runWithSecondTry(files, jobs, runFiles, say);
if (files.length === 0) say("no test files found");
if (ended !== 0) say(`the test runner ended with ${ended}`);
for (const line of closingLines(outcomes, secondTries)) say(line);
const hasPassed = outcomes.some(({ passed }) => passed > 0) && outcomes.every(({ failed }) => failed === 0);
process.exitCode = ended === 0 && hasPassed ? 0 : 1;

function testFiles(wanted: readonly string[]): string[] {
  const inside = (path: string): string[] =>
    statSync(path).isDirectory()
      ? globSync("**/*.test.ts", { cwd: path }).map((file) => join(path, file))
      : [path];
  return (wanted.length > 0 ? wanted : [join(root, "test")])
    .flatMap(inside)
    .map((path) => relative(root, path))
    .sort();
}

async function runFiles(paths: readonly string[], atATime: number): Promise<FileRun> {
  const tally = new Tally(say);
  if (paths.length === 0) return { ended: 0, outcomes: tally.outcomes };
  const { PATH = "" } = process.env;
  const tap = join(root, "node_modules/tap/dist/esm/run.mjs");
  const args = [tap, "--reporter=tap", `--jobs=${atATime}`, `--timeout=${fileTimeoutS}`, ...paths];
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PATH: `${bin}:${PATH}` },
  });
  passSignals(child);
  child.stdout.pipe(tally.parser);
  const [runnerEnded] = await Promise.all([
    new Promise<number | string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (exitCode, signal) => resolve(exitCode ?? signal ?? "no code"));
    }),
    new Promise((resolve) => tally.parser.once("complete", resolve)),
  ]);
  return { ended: runnerEnded, outcomes: tally.outcomes };
}

/** Ends the runner when we are told to end; it ends the test files it started. */
function passSignals(child: ChildProcess): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => child.kill(signal === "SIGHUP" ? "SIGTERM" : signal));
  }
}
