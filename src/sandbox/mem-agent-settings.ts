/** Settings of the mem-agent (agent-api 2.2, 3.35). Percentages are of time, 0 to 100; whole numbers are the wire's. */

/** How idle memory of the containers is given back. */
export type ReclaimSettings = Readonly<{
  disabled: boolean;
  /** Whether anonymous memory may be swapped out too. */
  swap: boolean;
  /** Bound of `memory.reclaim`'s swappiness, 0 to 200. */
  swappinessMax: number;
  periodSecs: bigint;
  /** More memory pressure than this, and a round is left out. */
  periodPsiPercentLimit: number;
  /** More pressure of a group than this, and the round leaves that group alone. */
  evictionPsiPercentLimit: number;
  /** Rounds for which a group has to have been idle before anything is taken from it. */
  agingCountMin: bigint;
}>;

/** How free memory is compacted. */
export type CompactSettings = Readonly<{
  disabled: boolean;
  periodSecs: bigint;
  periodPsiPercentLimit: number;
  /** A round is given up when compaction itself makes more pressure than this. */
  compactPsiPercentLimit: number;
  /** Longest time of a round. */
  secMax: bigint;
  /** Free memory counts as whole in blocks of 2^order pages. */
  order: number;
  /** Pages that have to have been freed in smaller blocks since the last round. */
  threshold: bigint;
  /** After so many rounds left out for want of reason, one takes place all the same. */
  forceTimes: bigint;
}>;
