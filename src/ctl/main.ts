import { runProgram } from "./program.ts";

const interrupted = new AbortController();

/** The first Ctrl-C cancels what is under way and lets it clean up; the second ends us on the spot. */
function onInterrupt(): void {
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort(new Error("interrupted"));
}

process.on("SIGINT", onInterrupt);
process.on("SIGTERM", onInterrupt);
process.stdout.on("error", () => {}); // the reader of a pipe may leave before we have said all

runProgram(
  {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    interrupted: interrupted.signal,
  },
  process.argv.slice(2),
).then((status) => process.exit(status));
