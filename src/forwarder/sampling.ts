/** What tail sampling keeps. */
export type SamplingConfig = {
  /** One group in so many is kept whatever is in it; 1 = all. */
  readonly keepOneIn: number;
  /** Spans that took longer are slow; undefined = none is. */
  readonly slowMs: number | undefined;
  /** The same for spans of one name, instead. */
  readonly slowMsByName: ReadonlyMap<string, number>;
  /** How long spans wait for one that is worth keeping. */
  readonly holdMs: number;
  /** What may wait; beyond it the oldest group is decided early. */
  readonly maxBytes: number;
};
