import { UsageError } from "./usage-error.ts";

/** Gathers an option that may be repeated; for commander, which hands over what there was before. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/**
 * A whole number given on the command line.
 * @throws UsageError naming `what`, unless it lies between `least` and `most`.
 */
export function wholeNumber(value: string, what: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`${what} has to be a number from ${least} to ${most}, not "${value}"`);
}

/** The 32-bit ids that CopyFile can carry. */
const maxId = 0x7fff_ffff;

/**
 * Reads `uid:gid`.
 * @throws UsageError for anything else.
 */
export function parseOwner(text: string): { uid: number; gid: number } {
  const [uid = "", gid = uid, rest] = text.split(":");
  if (rest !== undefined) throw new UsageError(`not uid:gid: ${text}`);
  return { uid: wholeNumber(uid, "uid", 0, maxId), gid: wholeNumber(gid, "gid", 0, maxId) };
}
