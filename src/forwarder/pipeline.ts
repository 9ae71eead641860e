import type { Deliver, Export, Spent } from "./export.ts";
import type { Metrics } from "./metrics.ts";
import type { SamplingConfig } from "./sampling.ts";
import { Scrubber } from "./scrubber.ts";
import { TailSampler } from "./tail-sampler.ts";

/** What stands between the doors and the backends: secrets out, then sampling. Both may be changed at any time. */
export class Pipeline {
  readonly #next: Deliver;
  readonly #metrics: Metrics;
  #scrubber: Scrubber | undefined;
  #sampler: TailSampler | undefined;
  #sampling = "";
  /** Sees what was taken, without secrets, whatever sampling makes of it; must not throw. */
  onTaken: ((exported: Export) => void) | undefined;

  constructor(next: Deliver, metrics: Metrics) {
    this.#next = next;
    this.#metrics = metrics;
  }

  /** Bytes that wait for a decision. */
  get heldBytes(): number {
    return this.#sampler?.heldBytes ?? 0;
  }

  /** What the old sampler held is decided when its rules change. */
  configure(scrub: readonly RegExp[], sampling: SamplingConfig | undefined): void {
    this.#scrubber = scrub.length === 0 ? undefined : new Scrubber(scrub);
    const rules = sampling === undefined ? "" : JSON.stringify([sampling, [...sampling.slowMsByName]]);
    if (rules === this.#sampling) return;
    this.#sampling = rules;
    this.#sampler?.close();
    this.#sampler = sampling === undefined ? undefined : new TailSampler(sampling, this.#next, this.#metrics);
  }

  /** @throws Refusal 503 when nobody has room; WireError when it has to be read and cannot. */
  readonly deliver = async (exported: Export, spent?: Spent): Promise<void> => {
    const clean = this.#scrubber?.scrub(exported, spent) ?? exported;
    if (this.#sampler === undefined) await this.#next(clean);
    else await this.#sampler.take(clean);
    this.onTaken?.(clean);
  };

  close(): void {
    this.#sampler?.close();
  }
}
