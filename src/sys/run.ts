/**
 * Primer. Runs a program to its end and collects what it printed, both within limits.
 *
 * "Done" is the exit of the program, not the end of its output: a daemon it left behind may hold the pipe for ever.
 * What the program itself wrote is in the pipes when it has ended, so they are emptied once more and then closed.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { deadline } from "../base/deadline.ts";
import type { Exit } from "../base/exit.ts";
import type { Child } from "./child.ts";
import { Descriptor } from "./descriptor.ts";
import { OutputCollector } from "./output-collector.ts";
import { closeFd, makePipe } from "./pipe.ts";
import { type SpawnRequest, spawn } from "./spawn.ts";

const SIGKILL = 9;

/** What to run: as for `spawn`, with the bytes of its stdin (none: /dev/null) in the place of descriptors. */
export type RunRequest = Omit<SpawnRequest, "stdio"> & { stdin?: Uint8Array };
/** `maxOutputBytes` counts stdout and stderr each. */
export type RunLimits = { timeoutMs: number; maxOutputBytes: number; signal?: AbortSignal };
/** A program that ended by itself; whether that was a success is for the caller to say. */
export type RunResult = { exit: Exit; stdout: Uint8Array; stderr: Uint8Array };

/** Writes all of `bytes`, as far as the program takes them: one that does not read its stdin is no failure. */
async function feed(input: Descriptor, bytes: Uint8Array): Promise<void> {
  try {
    for (let rest = bytes; rest.length > 0; ) {
      const written = input.write([rest]);
      rest = rest.subarray(written);
      if (written === 0) await input.writable();
    }
  } catch {
    // EPIPE: it closed its stdin. ECANCELED: it has ended.
  } finally {
    input.close();
  }
}

type Started = { child: Child; input: number | undefined; output: number; errors: number };

/** Starts the program between fresh pipes and gives our ends of them. */
function start(request: RunRequest): Started {
  const ours: number[] = [];
  const theirs: number[] = [];
  const fromChild = () => {
    const { readEnd, writeEnd } = makePipe();
    ours.push(readEnd);
    theirs.push(writeEnd);
    return { our: readEnd, their: writeEnd };
  };
  const toChild = () => {
    const { readEnd, writeEnd } = makePipe();
    ours.push(writeEnd);
    theirs.push(readEnd);
    return { our: writeEnd, their: readEnd };
  };
  try {
    const input = request.stdin === undefined ? undefined : toChild();
    const output = fromChild();
    const errors = fromChild();
    const child = spawn({ ...request, stdio: [input?.their ?? "null", output.their, errors.their] });
    return { child, input: input?.our, output: output.our, errors: errors.our };
  } catch (error) {
    ours.forEach(closeFd);
    throw error;
  } finally {
    theirs.forEach(closeFd);
  }
}

/**
 * Runs a program to its end. At the time limit, when it prints too much, or when the signal aborts it gets SIGKILL,
 * and the promise rejects once it is gone.
 * @throws DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, the reason of the signal, or what {@link spawn} throws.
 */
export async function run(request: RunRequest, limits: RunLimits): Promise<RunResult> {
  if (limits.signal?.aborted) throw limits.signal.reason;
  const started = start(request);
  const { child } = started;
  const stdout = new OutputCollector(started.output, limits.maxOutputBytes);
  const stderr = new OutputCollector(started.errors, limits.maxOutputBytes);
  const input = started.input === undefined ? undefined : new Descriptor(started.input);
  const limit = deadline(limits.timeoutMs, limits.signal);
  let failure: unknown;
  const stop = (reason: unknown) => {
    failure ??= reason;
    child.signal(SIGKILL);
  };
  const onAbort = () => stop(limit.signal.reason);
  limit.signal.addEventListener("abort", onAbort, { once: true });
  stdout.onOverflow = stderr.onOverflow = () =>
    stop(new AgentError(Code.resourceExhausted, `output of ${request.file} is too long`));
  try {
    if (input !== undefined && request.stdin !== undefined) void feed(input, request.stdin);
    const exit = await child.exited;
    const result = { exit, stdout: stdout.finish(), stderr: stderr.finish() };
    if (failure !== undefined) throw failure;
    return result;
  } finally {
    limit.signal.removeEventListener("abort", onAbort);
    limit.done();
    input?.close();
    stdout.close();
    stderr.close();
  }
}
