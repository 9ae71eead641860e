/**
 * Primer. A file system whose server has died (virtio-fs, 9p, FUSE) holds whoever looks into it, for ever and beyond
 * the reach of signals. File work is done by the few threads of libuv's pool, which all rooms share: as many looks as
 * there are threads, and nobody mounts, starts crun or reads a file of his own any more.
 *
 * So work that may hang goes through a gate: so much at once on one file system, and so much on all of them together,
 * with threads left for the rest. What comes on top waits for its turn, and is told after a while.
 *
 *     pool   ├── one file system ──┤── another ──┤ … ├── never held: crun, mounts of our own, /proc ──┤
 *            └──────────────── work through the gate ┘
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { abortable, deadline } from "../base/deadline.ts";

/** How much work may be at once. */
export type GateLimits = {
  /** Pieces of work at once on one file system. */
  readonly each: number;
  /** On all of them together. */
  readonly all: number;
  /** How long a piece waits for its turn. */
  readonly waitMs: number;
};

/** One piece of work; its file system is found out only when there is much going on. */
type Piece = { readonly place: string; fileSystem?: string };
type Waiting = { readonly piece: Piece; readonly go: () => void };

/** All work on file systems that may hang. */
export class FileSystemGate {
  readonly #limits: GateLimits;
  readonly #fileSystemOf: (place: string) => string;
  readonly #working = new Set<Piece>();
  readonly #waiting = new Set<Waiting>();

  /** `fileSystemOf` names the file system of a path, without a look at the path itself. */
  constructor(limits: GateLimits, fileSystemOf: (place: string) => string) {
    this.#limits = limits;
    this.#fileSystemOf = fileSystemOf;
  }

  /**
   * Does a piece of work on the file system that holds the path `place`. A piece holds one thread at most: its steps
   * follow each other, and none goes through the gate again.
   * @throws INTERNAL when it had no turn in time; what `work` throws.
   */
  async run<T>(place: string, work: () => Promise<T>): Promise<T> {
    const piece: Piece = { place };
    if (this.#admits(piece)) this.#working.add(piece);
    else await this.#turn(piece);
    try {
      return await work();
    } finally {
      this.#working.delete(piece);
      this.#admitNext();
    }
  }

  async #turn(piece: Piece): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { piece, go: resolve };
    this.#waiting.add(waiting);
    const limit = deadline(this.#limits.waitMs);
    try {
      await abortable(promise, limit.signal);
    } catch {
      // It may have been let in at the very moment.
      this.#working.delete(piece);
      throw new AgentError(Code.internal, "ETIMEDOUT: a file system does not answer");
    } finally {
      this.#waiting.delete(waiting);
      limit.done();
    }
  }

  #admitNext(): void {
    for (const waiting of this.#waiting) {
      if (!this.#admits(waiting.piece)) continue;
      this.#waiting.delete(waiting);
      this.#working.add(waiting.piece);
      waiting.go();
    }
  }

  #admits(piece: Piece): boolean {
    const { each, all } = this.#limits;
    if (this.#working.size < each) return true;
    if (this.#working.size >= all) return false;
    const wanted = this.#nameOf(piece);
    let beside = 0;
    for (const other of this.#working) if (this.#nameOf(other) === wanted) beside += 1;
    return beside < each;
  }

  #nameOf(piece: Piece): string {
    piece.fileSystem ??= this.#fileSystemOf(piece.place);
    return piece.fileSystem;
  }
}
