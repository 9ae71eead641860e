import { isDeepStrictEqual } from "node:util";
import { abortable, deadline } from "../base/deadline.ts";
import { SpanKind } from "./client-trace.ts";
import type { Session } from "./session.ts";

/** Something was seen that should have been otherwise. */
export class ExpectationError extends Error {
  override readonly name = "ExpectationError";
}

/** @throws ExpectationError unless both are deeply equal. */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new ExpectationError(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

function show(value: unknown): string {
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

/** What the narrator tells of a step that has ended; `ms` is its duration. */
export type StepReport = {
  readonly step: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly seen: string;
};

/** A step that takes longer than this hangs, also under emulation on a busy machine. */
const stepLimitMs = 120_000;
const nameWidth = 34;

/** Plays steps one after the other: a span around each, a line about each, and the whole stops at the first that fails. */
export class Narrator {
  readonly steps: StepReport[] = [];
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Runs one step; `work` gives what was seen, in a few words. @throws what the work threw, after telling it. */
  async step(name: string, work: () => Promise<string>): Promise<void> {
    const startMs = performance.now();
    const limit = deadline(stepLimitMs, this.#session.host.interrupted);
    try {
      const seen = await this.#session.trace.span(name, SpanKind.internal, () =>
        abortable(work(), limit.signal),
      );
      await this.#tell({ step: name, ok: true, ms: performance.now() - startMs, seen });
    } catch (error) {
      const seen = error instanceof Error ? error.message : String(error);
      await this.#tell({ step: name, ok: false, ms: performance.now() - startMs, seen });
      throw error;
    } finally {
      limit.done();
    }
  }

  async #tell(report: StepReport): Promise<void> {
    this.steps.push(report);
    const mark = report.ok ? "✓" : "✗";
    const line = `${mark} ${report.step.padEnd(nameWidth)} ${report.ms.toFixed(1).padStart(8)} ms  ${report.seen}`;
    if (!this.#session.options.json) await this.#session.answer({}, line);
  }
}
