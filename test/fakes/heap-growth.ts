import { setImmediate as turn } from "node:timers/promises";

/**
 * Bytes of heap that `count` runs of `work` leave behind, all at the same time; it runs some before, to get what is
 * made only once out of the way. Needs `--expose-gc`, and so a program of its own: a test runner keeps more.
 */
export async function heapGrowth(count: number, work: () => Promise<void>): Promise<number> {
  await repeat(1000, work);
  const before = await heapBytes();
  await repeat(count, work);
  return (await heapBytes()) - before;
}

async function repeat(count: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, work));
}

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await turn();
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}
