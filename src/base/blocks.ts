/**
 * Primer. Input and output of processes go through memory on their way, in pieces of tens of kilobytes. Made anew for
 * each piece, that memory costs more than the bytes do: it is cleared first, and V8 has other threads take it down. So
 * there are blocks, which go from hand to hand and come back.
 *
 * Whoever has a view on a block may keep it: a block comes back only by {@link giveBack}, and one that is never given
 * back is garbage like any other. A block may be looked at by several views; each is given back by itself.
 */

/** Length of a block: what a pipe of usual size holds. */
export const blockBytes = 64 * 1024;
/** Below this length a copy costs less than a block that is away. */
export const lendFromBytes = 4096;
/** Blocks kept for the next one who needs some; more at once are seldom needed, as a piece is gone within its turn. */
const maxIdle = 4;

const idle: Uint8Array<ArrayBuffer>[] = [];
/** How many views on a block are in somebody's hands. */
const lent = new WeakMap<ArrayBufferLike, number>();

/** A block, with whatever it held before; it counts as one view. */
export function takeBlock(): Uint8Array<ArrayBuffer> {
  const block = idle.pop() ?? new Uint8Array(blockBytes);
  lent.set(block.buffer, 1);
  return block;
}

/** Says that one more view on the block of `view` is going to be given back. */
export function shareBlock(view: Uint8Array): void {
  const views = lent.get(view.buffer);
  if (views !== undefined) lent.set(view.buffer, views + 1);
}

/** A copy of `bytes` for the caller to own: in a block where that is worth it and fits, else in memory of its own. */
export function copyToBlock(bytes: Uint8Array): Uint8Array {
  if (bytes.length < lendFromBytes || bytes.length > blockBytes) return new Uint8Array(bytes);
  const copy = takeBlock().subarray(0, bytes.length);
  copy.set(bytes);
  return copy;
}

/**
 * Takes a view back; with the last one the block may be overwritten. Nothing happens with bytes that lie in no block.
 * Precondition: the caller got the view to own it, and nobody looks at it any more.
 */
export function giveBack(view: Uint8Array): void {
  const views = lent.get(view.buffer);
  if (views === undefined) return;
  if (views > 1) {
    lent.set(view.buffer, views - 1);
    return;
  }
  lent.delete(view.buffer);
  if (idle.length < maxIdle) idle.push(new Uint8Array(view.buffer as ArrayBuffer));
}
