/**
 * Files that arrive in pieces. The pieces go to a hidden file beside the destination, whose old contents stay visible
 * until the last piece is there and a rename puts the new file in its place (agent-api 3.23 step 5).
 */
import { randomBytes } from "node:crypto";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** Copies that may be under way at once. The runtimes send one after the other. */
const maxPartialFiles = 256;
/** How many stretches of one file may stand apart. The runtimes send its pieces in order, so that there is one. */
const maxRanges = 1024;

/** One copy under way. `name` is that of the hidden file. */
export type PartialFile = {
  readonly name: string;
  readonly totalBytes: number;
  has(offset: number, bytes: number): boolean;
};

/** From `start` up to, but without, `end`, in bytes. */
type Range = { readonly start: number; readonly end: number };

class Pieces implements PartialFile {
  readonly name = `.kata-copy-${randomBytes(12).toString("hex")}`;
  readonly totalBytes: number;
  /** What has arrived, in order; ranges that touch are one. */
  readonly #ranges: Range[] = [];

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes;
  }

  /**
   * Notes a piece; true when with it the file is complete. A piece that comes again counts once.
   * @throws INTERNAL when too much is missing between the pieces.
   */
  has(offset: number, bytes: number): boolean {
    const piece = { start: offset, end: offset + bytes };
    const before = this.#ranges.findIndex(({ end }) => end >= piece.start);
    const from = before < 0 ? this.#ranges.length : before;
    const after = this.#ranges.findIndex(({ start }) => start > piece.end);
    const to = after < 0 ? this.#ranges.length : after;
    const touched = this.#ranges.slice(from, to);
    const start = Math.min(piece.start, touched[0]?.start ?? piece.start);
    const end = Math.max(piece.end, touched.at(-1)?.end ?? piece.end);
    this.#ranges.splice(from, touched.length, { start, end });
    if (this.#ranges.length > maxRanges) throw new AgentError(Code.internal, "too many gaps in the file");
    const [first] = this.#ranges;
    return first !== undefined && first.start === 0 && first.end >= this.totalBytes;
  }
}

/** The copies under way, by destination. */
export class PartialFiles {
  readonly #files = new Map<string, Pieces>();

  /** The copy under way to `path`; a new one for a first piece. {@link evicted} is asked before. */
  at(path: string, totalBytes: number): PartialFile {
    const known = this.#files.get(path);
    if (known !== undefined && known.totalBytes === totalBytes) return known;
    const pieces = new Pieces(totalBytes);
    this.#files.set(path, pieces);
    return pieces;
  }

  /**
   * Gives up the oldest copy when one to `path` would be too many, and tells whose hidden file has to go. To refuse
   * instead would end all copying once as many copies have been abandoned.
   */
  evicted(path: string): { path: string; name: string } | undefined {
    if (this.#files.size < maxPartialFiles || this.#files.has(path)) return undefined;
    for (const [oldest, { name }] of this.#files) {
      this.#files.delete(oldest);
      return { path: oldest, name };
    }
    return undefined;
  }

  /** The name of the hidden file of a copy to `path` that a new one of another size takes the place of. */
  replaced(path: string, totalBytes: number): string | undefined {
    const known = this.#files.get(path);
    if (known === undefined || known.totalBytes === totalBytes) return undefined;
    this.#files.delete(path);
    return known.name;
  }

  /** Forgets a copy that is complete or was given up. */
  done(path: string): void {
    this.#files.delete(path);
  }
}
