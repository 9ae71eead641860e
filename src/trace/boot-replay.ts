import type { BootStep } from "./boot-steps.ts";
import type { RecordedSpan } from "./recorded-span.ts";
import { setAll } from "./recorded-span.ts";
import type { SdkBackend } from "./sdk-backend.ts";

/**
 * Turns the steps of the boot into spans below the sandbox's root.
 * A step with inner steps ends after them, so its span is opened by whichever of them comes first.
 */
export class BootReplay {
  readonly #backend: SdkBackend;
  readonly #open = new Map<BootStep, RecordedSpan>();

  constructor(backend: SdkBackend) {
    this.#backend = backend;
  }

  /** Takes a step that has ended. */
  readonly take = (step: BootStep): void => {
    const span = this.#spanOf(step);
    this.#open.delete(step);
    setAll(span.span, step.attributes);
    if (step.error !== undefined) span.fail(step.error);
    span.finish(step.endMs);
  };

  #spanOf(step: BootStep): RecordedSpan {
    const known = this.#open.get(step);
    if (known !== undefined) return known;
    const parent = step.parent === undefined ? this.#backend.root : this.#spanOf(step.parent);
    const span = this.#backend.start(step.name, {}, parent.context, step.startMs);
    this.#open.set(step, span);
    return span;
  }
}
