import { test } from "tap";
import { fletcher64, nvdimmHeader } from "../../../scripts/image/nvdimm-header.ts";

test("the header is the block that the kernel's drivers/nvdimm reads", async (t) => {
  const block = Buffer.from(nvdimmHeader(2 << 20));
  t.equal(block.length, 4096);
  t.equal(block.toString("latin1", 0, 16), "NVDIMM_PFN_INFO\0");
  t.equal(block.readUInt16LE(52), 0, "major version");
  t.equal(block.readUInt16LE(54), 2, "minor version");
  t.equal(block.readBigUInt64LE(56), 2_097_152n, "where the disk begins");
  t.equal(block.readUInt32LE(72), 1, "records of pages in ordinary memory");
  t.equal(block.readUInt32LE(84), 2_097_152, "alignment");
});

// Seen in an image that osbuilder of Kata Containers 4.1 had made: what is not named here was zero.
test("the header is byte for byte that of Kata's image builder", async (t) => {
  const seen = Buffer.alloc(4096);
  seen.write("NVDIMM_PFN_INFO");
  for (const [at, byte] of [
    [54, 2],
    [58, 0x20],
    [72, 1],
    [86, 0x20],
  ] as const)
    seen.writeUInt8(byte, at);
  seen.write("303894e32b035b68", 4088, "hex");
  t.ok(seen.equals(nvdimmHeader(2 << 20)));
});

test("the checksum is Fletcher-64 over little-endian words with its own field zero", async (t) => {
  // By hand: words 1, 2, 3: sums 1, 3, 6; sum of sums 10.
  const words = Buffer.alloc(12);
  for (const [index, word] of [1, 2, 3].entries()) words.writeUInt32LE(word, index * 4);
  t.equal(fletcher64(words), (10n << 32n) | 6n);
  const full = Buffer.alloc(8, 0xff);
  t.equal(fletcher64(full), ((0x1_ffff_fffdn << 32n) & 0xffff_ffff_ffff_ffffn) | 0xffff_fffen, "sums wrap");
  const block = Buffer.from(nvdimmHeader(2 << 20));
  const stored = block.readBigUInt64LE(4088);
  block.fill(0, 4088);
  t.equal(stored, fletcher64(block));
  block.writeUInt8(1, 2000);
  t.not(stored, fletcher64(block), "a flipped bit shows");
});
