/**
 * Copies of byte arrays, packed one behind the other into blocks that are used again.
 *
 * Primer. A byte array of its own for each request costs an allocation outside of V8's heap, pages that the kernel has to
 * clear, and a collection of the garbage every few megabytes; copying into memory that is there costs a tenth of that.
 * Copies are let go of one by one; a block is free when the last one in it is, so this is for what leaves in about the
 * order in which it came. A copy must not be looked at after it was let go of.
 */

const blockBytes = 256 * 1024;
/** What is larger gets a block of its own when the one that is being filled has no room: else much would stay empty. */
const largeBytes = blockBytes / 4;
/** Blocks that are kept for later. */
const maxSpare = 8;

/** Memory with copies in it: up to which place, and how many. */
export type Block = { readonly bytes: Uint8Array; usedBytes: number; copies: number };

/** The blocks of one queue. */
export class ByteBlocks {
  #filling: Block | undefined;
  readonly #spare: Block[] = [];

  /** Copies the bytes; the caller owes {@link ByteBlocks.letGo} with the block. */
  copy(bytes: Uint8Array): { readonly copy: Uint8Array; readonly block: Block } {
    const block = this.#blockFor(bytes.length);
    const copy = block.bytes.subarray(block.usedBytes, block.usedBytes + bytes.length);
    copy.set(bytes);
    block.usedBytes += bytes.length;
    block.copies++;
    return { copy, block };
  }

  /** One copy in the block is not looked at any more. */
  letGo(block: Block): void {
    if (--block.copies > 0) return;
    block.usedBytes = 0;
    if (block === this.#filling || block.bytes.length !== blockBytes) return;
    if (this.#spare.length < maxSpare) this.#spare.push(block);
  }

  #blockFor(bytes: number): Block {
    const filling = this.#filling;
    if (filling !== undefined && filling.usedBytes + bytes <= blockBytes) return filling;
    if (bytes > largeBytes) return newBlock(bytes);
    this.#filling = this.#spare.pop() ?? newBlock(blockBytes);
    return this.#filling;
  }
}

function newBlock(bytes: number): Block {
  return { bytes: Buffer.allocUnsafeSlow(bytes), usedBytes: 0, copies: 0 };
}
