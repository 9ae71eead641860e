/** How long and how often things are measured. */
export type Effort = {
  /** Repetitions of what alternates with its baseline; medians are taken over them. */
  readonly rounds: number;
  /** Length of one measurement of a rate. */
  readonly seconds: number;
  /** Life cycles and execs of each kind. */
  readonly cycles: number;
  readonly streamBytes: number;
};

/** What `make bench` does. */
export const fullEffort: Effort = { rounds: 5, seconds: 3, cycles: 60, streamBytes: 256 * 1024 * 1024 };
/** `make bench QUICK=1`: to see whether something has broken. */
export const quickEffort: Effort = { rounds: 2, seconds: 1, cycles: 15, streamBytes: 64 * 1024 * 1024 };
