import type { Export } from "../export.ts";
import { type Block, ByteBlocks } from "./byte-blocks.ts";
import type { Queue } from "./queue.ts";
import { Shares } from "./shares.ts";

/** What an entry costs besides its bytes, about. */
const entryBytes = 256;

type Entry = { readonly exported: Export; readonly block: Block; readonly atMs: number };

/** A queue that lives as long as the program. What {@link MemoryQueue.peek} gives is overwritten after it was dropped. */
export class MemoryQueue implements Queue {
  readonly survives = false;
  readonly #shares: Shares;
  readonly #blocks = new ByteBlocks();
  #entries: Entry[] = [];
  /** Entries before it are gone. They are cut off now and then: taking the first of a long list off is not cheap. */
  #first = 0;
  #spans = 0;

  constructor(maxBytes: number) {
    this.#shares = new Shares(maxBytes);
  }

  get bytes(): number {
    return this.#shares.bytes;
  }

  get spans(): number {
    return this.#spans;
  }

  get length(): number {
    return this.#entries.length - this.#first;
  }

  get oldestAtMs(): number | undefined {
    return this.#entries[this.#first]?.atMs;
  }

  hasRoom(bytes: number, origin: string): boolean {
    return this.#shares.hasRoom(bytes + entryBytes, origin);
  }

  async push(exported: Export): Promise<void> {
    const { copy, block } = this.#blocks.copy(exported.body);
    this.#entries.push({ exported: { ...exported, body: copy }, block, atMs: performance.now() });
    this.#shares.add(exported.body.length + entryBytes, exported.origin);
    this.#spans += exported.spans;
  }

  async peek(maxBytes: number): Promise<readonly Export[]> {
    const found: Export[] = [];
    let bytes = 0;
    for (let i = this.#first; i < this.#entries.length; i++) {
      const { exported } = this.#entries[i] as Entry;
      bytes += exported.body.length;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(exported);
    }
    return found;
  }

  async drop(count: number): Promise<void> {
    for (let i = this.#first; i < this.#first + count; i++) {
      const { exported, block } = this.#entries[i] as Entry;
      this.#blocks.letGo(block);
      this.#shares.remove(exported.body.length + entryBytes, exported.origin);
      this.#spans -= exported.spans;
    }
    this.#first += count;
    if (this.#first * 2 < this.#entries.length && this.#first < 1024) return this.#forget();
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  async close(): Promise<void> {}

  /** Lets go of what is still in the list in front of the first. */
  #forget(): void {
    this.#entries.fill(undefined as unknown as Entry, 0, this.#first);
  }
}
