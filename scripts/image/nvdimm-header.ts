/**
 * The header by which the kernel takes a file that QEMU shows as persistent memory (`-device nvdimm`) for a disk in
 * memory, /dev/pmem0, whose pages programs can map without a copy (DAX).
 *
 * It is the `struct nd_pfn_sb` of the kernel's drivers/nvdimm/pfn.h, one block of 4 KiB, little-endian:
 *
 *     0     signature "NVDIMM_PFN_INFO", a NUL
 *     16    two UUIDs: its own, its namespace's (zero: one without labels)
 *     48    flags (4 bytes)
 *     52    version: major, minor (2 each)
 *     56    where the data begin, from the start of the namespace (8)
 *     64    count of page frames (8); the kernel makes its own
 *     72    mode (4): 1, the kernel keeps its records of the pages in ordinary memory
 *     76    padding before and after (4 each)
 *     84    alignment of the mapping (4), since minor version 2
 *     4088  checksum (8): Fletcher-64 over the block with this field zero
 */
const blockBytes = 4096;
const checksumAt = 4088;
const megabyte = 1 << 20;

/** Where the kernel looks for the header, from the start of the memory. */
export const nvdimmHeaderOffset = 4096;

/** The header of an image whose disk begins at `dataOffset` bytes. */
export function nvdimmHeader(dataOffset: number): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  block.write("NVDIMM_PFN_INFO", 0, "latin1");
  block.writeUInt16LE(2, 54);
  block.writeBigUInt64LE(BigInt(dataOffset), 56);
  block.writeUInt32LE(1, 72);
  block.writeUInt32LE(2 * megabyte, 84);
  block.writeBigUInt64LE(fletcher64(block), checksumAt);
  return block;
}

/** Fletcher's checksum of 32-bit words, as drivers/nvdimm/core.c has it: the sum of sums above, the sum below. */
export function fletcher64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let low = 0;
  let high = 0n;
  for (let at = 0; at < bytes.byteLength; at += 4) {
    low = (low + view.getUint32(at, true)) >>> 0;
    high += BigInt(low);
  }
  return BigInt.asUintN(64, (high << 32n) | BigInt(low));
}
