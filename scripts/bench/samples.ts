/** The value that `share` (0 to 1) of the samples do not exceed. NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The value in the middle. NaN without samples. */
export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** How long `work` takes, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** Runs `lanes` of `work` next to each other, each again and again, for `seconds`; answers rounds per second. */
export async function ratePerSecond(
  lanes: number,
  seconds: number,
  work: (lane: number) => Promise<unknown>,
): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let rounds = 0;
  const lane = async (index: number) => {
    while (performance.now() < endMs) {
      await work(index);
      rounds += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
  return rounds / ((performance.now() - startMs) / 1000);
}
