// Runs the tests and says what came out, one line per file as it ends:
//   node scripts/test.ts [file or folder …]      default: all of test/
// Failures come with their diagnostics, skips with their reason. The last line is `N passed, N failed`
// (`, N skipped` when any); what is counted are the tests inside the files. Ends with 0 only if something
// ran, nothing failed, and the runner itself ended well.
import { type ChildProcess, spawn } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { Tally } from "./test-tally.ts";

// Two files at a time: the machine this has to be quick on has two cores.
const jobs = 2;
// A file that boots a VM under emulation on a busy machine takes a minute or two.
const fileTimeoutS = 300;

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");
const files = testFiles(process.argv.slice(2));
const tally = new Tally((line) => process.stdout.write(`${line}\n`));
if (files.length === 0) {
  process.stdout.write("no test files found\n");
  process.exitCode = 1;
}
const code = files.length > 0 ? await runTap(files) : 1;
if (code !== 0 && tally.failed === 0) process.stdout.write(`the test runner ended with ${code}\n`);
process.stdout.write(`${tally.summary()}\n`);
process.exitCode = code === 0 && tally.failed === 0 && tally.passed > 0 ? 0 : 1;

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

async function runTap(paths: readonly string[]): Promise<number | string> {
  const { PATH = "" } = process.env;
  const tap = join(root, "node_modules/tap/dist/esm/run.mjs");
  const args = [tap, "--reporter=tap", `--jobs=${jobs}`, `--timeout=${fileTimeoutS}`, ...paths];
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PATH: `${bin}:${PATH}` },
  });
  passSignals(child);
  child.stdout.pipe(tally.parser);
  const [ended] = await Promise.all([
    new Promise<number | string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (exitCode, signal) => resolve(exitCode ?? signal ?? "no code"));
    }),
    new Promise((resolve) => tally.parser.once("complete", resolve)),
  ]);
  return ended;
}

/** Ends the runner when we are told to end; it ends the test files it started. */
function passSignals(child: ChildProcess): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => child.kill(signal === "SIGHUP" ? "SIGTERM" : signal));
  }
}
