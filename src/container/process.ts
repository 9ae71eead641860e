/**
 * One process of a container: its streams, its exit, its waiters.
 *
 * Life: running → exited → published → collected (somebody has waited; the record only lives on so that late readers
 * get the rest of the output). An exit is published at once, whoever still holds the output; only where the output goes
 * to streams of the host, it is published when all of it has been handed over (agent-api 6.7).
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Exit } from "../base/exit.ts";
import type { ExecId, Pid } from "../base/ids.ts";
import { Waiters } from "../base/waiters.ts";
import type { Launched } from "../runtime/crun.ts";
import type { ReadEnd } from "../runtime/read-end.ts";
import { type OpenSpan, startSpan } from "../trace/span.ts";
import { carry, closePassed, type PassedStreams } from "./passed-streams.ts";

const sigkill = 9;

/** The init of a container, or an exec. */
export class Process {
  readonly id: ExecId;
  readonly #launched: Launched;
  readonly #passed: PassedStreams | undefined;
  readonly #waiters = new Waiters<Exit>();
  #exit: Exit | undefined;
  #killed = false;
  #published = false;
  #collected = false;
  readonly #oomKilled: () => boolean;
  #firstOutput: OpenSpan | undefined;
  #life: OpenSpan | undefined;

  /**
   * Owns what crun has left, and the streams that the host has passed for it. `oomKilled`: whether the kernel has killed
   * something in its group since it was asked last; for the span.
   */
  constructor(id: ExecId, launched: Launched, passed?: PassedStreams, oomKilled = () => false) {
    this.id = id;
    this.#oomKilled = oomKilled;
    this.#launched = launched;
    this.#passed = passed;
    const carried = passed === undefined ? undefined : carry(passed, launched.io);
    launched.child.exited.then((exit) => this.#onExit(exit, carried));
  }

  get pid(): Pid {
    return this.#launched.child.pid;
  }

  /** How it ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** True when it has ended, or is about to: a killed process may be seen alive for a moment. */
  get doomed(): boolean {
    return this.#killed || this.#exit !== undefined;
  }

  /** True once somebody has waited for it to the end. */
  get collected(): boolean {
    return this.#collected;
  }

  /** True when every byte of its output has been handed out. */
  get drained(): boolean {
    const { stdout, stderr } = this.#launched.io;
    return stdout.ended && (stderr === undefined || stderr.ended);
  }

  /** Marks the moment from which it runs, for the spans of its life and of the wait for its first output. */
  released(): void {
    this.#life = startSpan("process", { "process.pid": this.pid, "kata.exec.id": this.id });
    if (this.#passed?.stdout !== undefined) return;
    this.#firstOutput = startSpan("first output", { "process.pid": this.pid });
  }

  /**
   * Sends a signal; a process that has ended already is fine (agent-api 3.7).
   * Goes through a pidfd, so it can never reach another process that was given the same number.
   */
  signal(signal: number): void {
    this.#killed ||= signal === sigkill;
    this.#launched.child.signal(signal);
  }

  /** Waits for the exit; the streams are then closed, with the rest of the output kept for late readers. */
  async wait(signal: AbortSignal): Promise<Exit> {
    signal.throwIfAborted();
    const published = this.#published ? this.#exit : undefined;
    const exit = published ?? (await this.#waiters.wait(signal));
    this.#collected = true;
    const { stdin, stdout, stderr } = this.#launched.io;
    stdin.close();
    stdout.finish();
    stderr?.finish();
    return exit;
  }

  /**
   * The next output, at most `maxBytes`; none at the end (agent-api 3.10).
   * @throws INTERNAL when the output goes to a stream of the host.
   */
  read(stream: "stdout" | "stderr", maxBytes: number, signal: () => AbortSignal): Promise<Uint8Array> {
    if (this.#passed?.[stream] !== undefined) return Promise.reject(passedOn(stream));
    const data = this.#readEnd(stream).read(maxBytes, signal);
    return this.#firstOutput === undefined ? data : this.#noteFirst(data);
  }

  async #noteFirst(output: Promise<Uint8Array>): Promise<Uint8Array> {
    const data = await output;
    if (data.length > 0) {
      this.#firstOutput?.end();
      this.#firstOutput = undefined;
    }
    return data;
  }

  /** Writes all of `data` to its input. @throws INTERNAL when it is closed or nobody reads (agent-api 3.9). */
  write(data: Uint8Array, signal: () => AbortSignal): Promise<void> {
    if (this.#passed?.stdin !== undefined) return Promise.reject(passedOn("stdin"));
    return this.#launched.io.stdin.write(data, signal);
  }

  /** Ends its input; of a terminal nothing is closed, since that would end the output too (agent-api 3.11). */
  closeStdin(): Promise<void> {
    return this.#launched.io.stdin.end();
  }

  /** Sets the window size. @throws UNAVAILABLE when the process has no terminal (agent-api 3.12). */
  resize(rows: number, columns: number): void {
    const { resize } = this.#launched.io;
    if (resize === undefined) throw new AgentError(Code.unavailable, "no pty");
    resize(rows, columns);
  }

  /** Drops its streams with whatever they still hold. Safe to repeat. */
  close(): void {
    this.#launched.io.close();
    if (this.#passed !== undefined) closePassed(this.#passed);
    this.#endSpans();
  }

  #readEnd(stream: "stdout" | "stderr"): ReadEnd {
    const { stdout, stderr } = this.#launched.io;
    return stream === "stdout" ? stdout : (stderr ?? stdout);
  }

  #onExit(exit: Exit, carried: Promise<void> | undefined): void {
    this.#exit = exit;
    if (carried === undefined) this.#publish(exit);
    else void carried.then(() => this.#publish(exit));
    this.#launched.io.stdin.close();
    void this.#passed?.stdin?.close();
    this.#launched.io.stdout.exited();
    this.#launched.io.stderr?.exited();
    if (this.#life !== undefined) noteExit(this.#life, exit, this.#oomKilled);
    this.#endSpans();
  }

  #endSpans(): void {
    this.#firstOutput?.end();
    this.#life?.end();
    this.#firstOutput = this.#life = undefined;
  }

  #publish(exit: Exit): void {
    this.#published = true;
    this.#waiters.wake(exit);
  }
}

function noteExit(life: OpenSpan, exit: Exit, oomKilled: () => boolean): void {
  if (exit.how === "exited") life.set({ "process.exit.code": exit.code });
  else life.set({ "kata.process.signal": exit.signal });
  if (exit.how === "signaled" && exit.signal === sigkill && oomKilled())
    life.set({ "kata.process.oom": true });
}

function passedOn(stream: "stdin" | "stdout" | "stderr"): AgentError {
  return new AgentError(Code.internal, `${stream} is a stream of the host`);
}
