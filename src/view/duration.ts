/** A duration for people, at most eight characters: `870 ns`, `12.3 µs`, `4.56 ms`, `1.23 s`, `4m 05s`. */
export function formatDuration(ns: bigint): string {
  const value = Number(ns < 0n ? 0n : ns);
  const scaled = (n: number, unit: string) =>
    `${n < 10 ? n.toFixed(2) : n < 100 ? n.toFixed(1) : n.toFixed(0)} ${unit}`;
  if (value < 1e3) return `${value} ns`;
  if (value < 999.5e3) return scaled(value / 1e3, "µs");
  if (value < 999.5e6) return scaled(value / 1e6, "ms");
  if (value < 59.95e9) return scaled(value / 1e9, "s");
  const seconds = Math.round(value / 1e9);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
}
