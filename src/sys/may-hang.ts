import { FileSystemGate } from "./file-system-gate.ts";
import { fileSystemOf } from "./file-system-of.ts";

/** Of the pool's sixteen threads (`native/launcher.c`) five are never held by what goes through the gate. */
const gate = new FileSystemGate({ each: 4, all: 11, waitMs: 10_000 }, fileSystemOf);

/**
 * Does file work that a dead share may hold for ever, so that it holds up nobody else: at most four pieces at once on
 * one file system (`file-system-gate.ts`). `place` is a path on it. The steps of `work` follow each other, and none of them
 * goes through here again.
 * @throws INTERNAL (`ETIMEDOUT: …`) when it had no turn within ten seconds; what `work` throws.
 */
export function mayHang<T>(place: string, work: () => Promise<T>): Promise<T> {
  return gate.run(place, work);
}
