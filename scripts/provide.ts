import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/**
 * What takes two minutes of compiling where nothing is in Go's cache takes four times that on a busy machine. All of them
 * together have to leave room for the tests, also where a registry never answers.
 */
const limitMs = 12 * 60_000;
const maxReason = 200;

/** Something that tests speak to or judge with, and that need not be there. */
export type Provision = {
  readonly name: string;
  /** File or folder below the cache that stands for it. */
  readonly place: string;
  /** Makes it at a path that is moved to its place afterwards. */
  readonly get: (path: string) => Promise<unknown>;
};

/** Runs a program at low priority. @throws Error with its `stderr`. */
export function quietly(
  file: string,
  args: readonly string[],
  cwd: string,
  timeoutMs = limitMs,
): Promise<{ stdout: string; stderr: string }> {
  return run("nice", [file, ...args], { cwd, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 });
}

/** A program of the Go module in `cwd`, by its path in the module or of a package that the module requires. */
export function goProgram(name: string, place: string, cwd: string, packagePath = "."): Provision {
  const flags = ["-mod=readonly", "-trimpath", "-ldflags=-s -w"];
  return { name, place, get: (path) => quietly("go", ["build", ...flags, "-o", path, packagePath], cwd) };
}

/** Gets it unless it is there. Never rejects: what cannot be had costs a line that says so. */
export async function provide(cache: string, { name, place, get }: Provision): Promise<void> {
  const wanted = join(cache, place);
  if (existsSync(wanted)) return;
  mkdirSync(dirname(wanted), { recursive: true });
  const making = `${wanted}.${process.pid}`;
  const startMs = performance.now();
  try {
    await get(making);
    if (existsSync(making)) renameSync(making, wanted);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    process.stdout.write(`got ${name} (${seconds} s)\n`);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    const [reason = ""] = String((error as { stderr?: string }).stderr || (error as Error).message)
      .trim()
      .split("\n")
      .slice(-1);
    process.stdout.write(
      `${name} cannot be had here, its tests will be skipped: ${reason.slice(0, maxReason)}\n`,
    );
  }
}
