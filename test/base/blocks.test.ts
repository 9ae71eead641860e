import { test } from "tap";
import {
  blockBytes,
  copyToBlock,
  giveBack,
  lendFromBytes,
  shareBlock,
  takeBlock,
} from "../../src/base/blocks.ts";

test("a block that is given back is the next one that is taken", async (t) => {
  const block = takeBlock();
  t.equal(block.length, blockBytes);
  const { buffer } = block;
  giveBack(block.subarray(10, 20));
  const next = takeBlock();
  t.equal(next.buffer, buffer);
  t.equal(next.length, blockBytes, "whole again, whatever part of it came back");
  giveBack(next);
});

test("a block that is out with somebody is not taken again", async (t) => {
  const [one, two] = [takeBlock(), takeBlock()];
  t.not(one.buffer, two.buffer);
  shareBlock(one);
  giveBack(one.subarray(0, 100));
  const three = takeBlock();
  t.not(three.buffer, one.buffer, "one of two views is still away");
  giveBack(one.subarray(100));
  t.equal(takeBlock().buffer, one.buffer);
});

test("a view that comes back twice does not put its block there twice", async (t) => {
  const block = takeBlock();
  giveBack(block);
  giveBack(block);
  t.not(takeBlock().buffer, takeBlock().buffer);
});

test("bytes that lie in no block are nobody's business here", async (t) => {
  const own = new Uint8Array(10);
  shareBlock(own);
  giveBack(own);
  t.not(takeBlock().buffer, own.buffer);
});

test("what many had at once is not all kept", async (t) => {
  const many = Array.from({ length: 20 }, takeBlock);
  const buffers = new Set(many.map(({ buffer }) => buffer));
  many.forEach(giveBack);
  const again = Array.from({ length: 20 }, takeBlock).filter(({ buffer }) => buffers.has(buffer));
  t.ok(again.length > 0 && again.length < 10, `${again.length} of 20 were kept`);
});

for (const [bytes, place] of [
  [lendFromBytes - 1, "memory of its own"],
  [lendFromBytes, "a block"],
  [blockBytes, "a block"],
  [blockBytes + 1, "memory of its own"],
] as const) {
  test(`a copy of ${bytes} bytes lies in ${place}`, async (t) => {
    const original = new Uint8Array(bytes).fill(7);
    const copy = copyToBlock(original);
    original.fill(8);
    t.equal(copy.length, bytes);
    t.ok(copy.every((byte) => byte === 7));
    giveBack(copy);
    t.equal(takeBlock().buffer === copy.buffer, place === "a block");
  });
}
