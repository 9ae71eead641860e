import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";

const cache = join(import.meta.dirname, "../../../.cache/backends");
/** Java alone takes a minute where many others compile and test. */
const startLimitMs = 180_000;
const answerLimitMs = 180_000;
const pollMs = 50;

/** Where `scripts/backends.ts` has put a backend. */
export function backendPath(...parts: string[]): string {
  return join(cache, ...parts);
}

/** Why the tests of a backend are skipped, or false when it is there. */
export function skipWithout(name: string, ...parts: string[]): string | false {
  return existsSync(backendPath(...parts)) ? false : `${name} could not be had on this machine`;
}

/** A program that serves a test. */
export type ServingProgram = {
  readonly child: ChildProcess;
  /** Ends it at once, as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
};

/**
 * Starts a program and waits until `isReady` says so; it ends with the test.
 * @throws Error with the last lines of its output when it ends or is not ready in time.
 */
export async function startProgram(
  t: Test,
  file: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
  env: Readonly<Record<string, string>> = {},
): Promise<ServingProgram> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const closed = once(child, "close");
  closed.catch(() => {});
  let output = "";
  const keep = (text: Buffer) => {
    output = (output + text).slice(-4000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await closed;
  };
  t.teardown(kill);
  const untilMs = performance.now() + startLimitMs;
  while (!(await isReady().catch(() => false))) {
    if (child.exitCode !== null || performance.now() > untilMs) throw new Error(`${file}: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return { child, kill };
}

/** Asks until there is an answer. @throws Error when there is none within three minutes. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const untilMs = performance.now() + answerLimitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > untilMs) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
