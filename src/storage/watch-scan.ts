import type { BigIntStats } from "node:fs";
import { opendir, readlink } from "node:fs/promises";
import { type Handle, holdBelow, statOf } from "./watch-handle.ts";

/** Something in the source of a watchable mount, as it was when it was looked at. */
export type WatchedEntry = {
  readonly kind: "directory" | "file" | "link";
  readonly mtimeNs: bigint;
  readonly bytes: number;
  /** The low twelve bits of `st_mode`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a link. */
  readonly target?: string;
};

/** What is in a source, by its path there; the source itself is the empty path. Parents come before what is in them. */
export type Snapshot = ReadonlyMap<string, WatchedEntry>;

/** What a watchable mount may have at most (agent-api 7). */
export const watchLimits = { entries: 16, bytes: 1024 * 1024 } as const;

/** The source is too large to be watched. */
export class TooMuchToWatch extends Error {
  override readonly name = "TooMuchToWatch";
}

/** How often a look is begun anew because something happened meanwhile. */
const maxLooks = 3;

/**
 * Looks at all that is in a source, following no link. What is neither file, directory nor link is passed over.
 * A change of the source's own directory meanwhile, such as the switch of `..data`, makes it look again: a link must
 * not be seen without what it leads to.
 * @throws TooMuchToWatch; system errors.
 */
export async function scanSource(source: Handle): Promise<Snapshot> {
  for (let look = 1; ; look += 1) {
    const before = await statOf(source);
    const snapshot = await scanOnce(source, before);
    if (look === maxLooks || (await statOf(source)).mtimeNs === before.mtimeNs) return snapshot;
  }
}

async function scanOnce(source: Handle, stats: BigIntStats): Promise<Snapshot> {
  const found = new Map<string, WatchedEntry>();
  note(found, "", entryOf(stats));
  if (stats.isDirectory()) await scanDirectory(found, source, "");
  return found;
}

async function scanDirectory(
  found: Map<string, WatchedEntry>,
  directory: Handle,
  path: string,
): Promise<void> {
  for await (const { name } of await opendir(directory.path)) {
    using child = await holdIfThere(directory, name);
    if (child === undefined) continue;
    const entry = entryOf(await statOf(child));
    const childPath = path === "" ? name : `${path}/${name}`;
    if (entry?.kind === "link") {
      note(found, childPath, { ...entry, target: await readlink(`${directory.path}/${name}`) });
    } else note(found, childPath, entry);
    if (entry?.kind === "directory") await scanDirectory(found, child, childPath);
  }
}

async function holdIfThere(directory: Handle, name: string): Promise<Handle | undefined> {
  try {
    return await holdBelow(directory, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function note(found: Map<string, WatchedEntry>, path: string, entry: WatchedEntry | undefined): void {
  if (entry === undefined) return;
  found.set(path, entry);
  const bytes = found.values().reduce((sum, each) => sum + (each.kind === "directory" ? 0 : each.bytes), 0);
  if (found.size > watchLimits.entries || bytes > watchLimits.bytes) throw new TooMuchToWatch();
}

function entryOf(stats: BigIntStats): WatchedEntry | undefined {
  const kind = kindOf(stats);
  if (kind === undefined) return undefined;
  const { mtimeNs, size, mode, uid, gid } = stats;
  return {
    kind,
    mtimeNs,
    bytes: Number(size),
    mode: Number(mode) & 0o7777,
    uid: Number(uid),
    gid: Number(gid),
  };
}

function kindOf(stats: BigIntStats): WatchedEntry["kind"] | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "link" : undefined;
}
