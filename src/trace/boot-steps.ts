import type { SpanAttributes } from "./attributes.ts";

/**
 * Spans of the boot, made before anyone knows whether the trace is wanted and long before the SDK could be loaded.
 *
 * A step costs one small object. When tracing starts, the finished steps are replayed as children of the sandbox's
 * root span, and later ones as they end. When it does not, {@link BootSteps.discard} forgets them.
 */

/** One step. Times are `performance.now()` values; they may be negative for what came before this process. */
export type BootStep = {
  readonly name: string;
  readonly attributes: SpanAttributes;
  readonly startMs: number;
  readonly parent: BootStep | undefined;
  endMs: number;
  error: unknown;
  /** Adds attributes while the step runs. */
  set(attributes: SpanAttributes): void;
};

type Sink = (step: BootStep) => void;

/** The boot's record. One per program, handed to `startTracing`. */
export class BootSteps {
  #ended: BootStep[] = [];
  #sink: Sink | undefined;

  /** Runs one duty of the boot list as a step, below `parent` if given. What it throws is noted and thrown on. */
  async step<T>(
    name: string,
    attributes: SpanAttributes,
    work: (step: BootStep) => T | Promise<T>,
    parent?: BootStep,
  ): Promise<T> {
    const step = newStep(name, attributes, performance.now(), parent);
    try {
      return await work(step);
    } catch (error) {
      step.error = error ?? new Error("rejected without a reason");
      throw error;
    } finally {
      step.endMs = performance.now();
      this.#keep(step);
    }
  }

  /** Notes a step from times measured elsewhere, such as the kernel's own start. */
  note(name: string, attributes: SpanAttributes, startMs: number, endMs: number): void {
    const step = newStep(name, attributes, startMs, undefined);
    step.endMs = endMs;
    this.#keep(step);
  }

  /** Start of the earliest step noted so far; undefined when there is none. */
  get earliestMs(): number | undefined {
    return this.#ended.length === 0 ? undefined : Math.min(...this.#ended.map((step) => step.startMs));
  }

  /** Hands all steps ended so far to `sink`, and every later one as it ends. Parents may come after children. */
  replay(sink: Sink): void {
    const ended = this.#ended;
    this.#ended = [];
    this.#sink = sink;
    for (const step of ended) sink(step);
  }

  /** Tracing is off: forgets what was noted and keeps nothing from now on. */
  discard(): void {
    this.replay(() => {});
  }

  #keep(step: BootStep): void {
    if (this.#sink === undefined) this.#ended.push(step);
    else this.#sink(step);
  }
}

function newStep(
  name: string,
  attributes: SpanAttributes,
  startMs: number,
  parent: BootStep | undefined,
): BootStep {
  let all = attributes;
  return {
    name,
    startMs,
    parent,
    endMs: Number.NaN,
    error: undefined,
    get attributes() {
      return all;
    },
    set(more) {
      all = { ...all, ...more };
    },
  };
}
