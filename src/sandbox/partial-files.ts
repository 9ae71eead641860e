/**
 * Files that arrive in pieces. The pieces go to a hidden file beside the destination, whose old contents stay visible
 * until the last piece is there and a rename puts the new file in its place (agent-api 3.23 step 5).
 */
import { randomBytes } from "node:crypto";

/** Copies that may be under way at once. The runtimes send one after the other. */
const maxPartialFiles = 256;

/** One copy under way. `name` is that of the hidden file. */
export type PartialFile = {
  readonly name: string;
  readonly totalBytes: number;
  has(offset: number, bytes: number): boolean;
};

class Pieces implements PartialFile {
  readonly name = `.kata-copy-${randomBytes(12).toString("hex")}`;
  readonly totalBytes: number;
  readonly #lengths = new Map<number, number>();

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes;
  }

  /** Notes a piece; true when with it the file is complete. A piece that comes again counts once. */
  has(offset: number, bytes: number): boolean {
    this.#lengths.set(offset, Math.max(bytes, this.#lengths.get(offset) ?? 0));
    let end = 0;
    for (const [start, length] of [...this.#lengths].sort(([a], [b]) => a - b)) {
      if (start > end) return false;
      end = Math.max(end, start + length);
    }
    return end >= this.totalBytes;
  }
}

export class PartialFiles {
  readonly #files = new Map<string, Pieces>();

  /** The copy under way to `path`; a new one for a first piece. Beyond the limit the oldest one is given up. */
  at(path: string, totalBytes: number): PartialFile {
    const known = this.#files.get(path);
    if (known !== undefined && known.totalBytes === totalBytes) return known;
    // To refuse instead would end all copying once as many copies have been abandoned.
    const [oldest] = this.#files.keys();
    if (oldest !== undefined && this.#files.size >= maxPartialFiles) this.#files.delete(oldest);
    const pieces = new Pieces(totalBytes);
    this.#files.set(path, pieces);
    return pieces;
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
