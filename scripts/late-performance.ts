/**
 * What bundles have in the place of the global `performance`: the same clock from another zero. Whoever first looks at
 * Node's own has a dozen of its modules loaded, for which a start pays 2 ms; here only somebody who asks for the zero
 * as a time of day does.
 */
const { hrtime } = process;
const [zeroSeconds, zeroNanos] = hrtime();

function now(): number {
  const [seconds, nanos] = hrtime();
  return (seconds - zeroSeconds) * 1e3 + (nanos - zeroNanos) / 1e6;
}

let originMs: number | undefined;

/** `now()` and `timeOrigin` of the web's `performance`, ms; our sources and libraries use no more of it. */
export const performance = {
  now,
  get timeOrigin(): number {
    if (originMs === undefined) {
      const nodes = process.getBuiltinModule("node:perf_hooks").performance;
      originMs = nodes.timeOrigin + nodes.now() - now();
    }
    return originMs;
  },
};
