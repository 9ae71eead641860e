import { gzipSync } from "node:zlib";

/** The bytes of a disk with initdata: `text` packed, its length told as `length`, filled up to whole sectors. */
export function initdataDisk(text: string | Uint8Array, length?: bigint): Buffer {
  const packed = gzipSync(text);
  const head = Buffer.alloc(16);
  head.write("initdata", "latin1");
  head.writeBigUInt64LE(length ?? BigInt(packed.length), 8);
  const used = head.length + packed.length;
  return Buffer.concat([head, packed, Buffer.alloc(Math.ceil(used / 512) * 512 - used)]);
}

/** A document with these files. */
export function initdataText(data: Readonly<Record<string, string>>, algorithm = "sha256"): string {
  const files = Object.entries(data).map(
    ([name, text]) => `${JSON.stringify(name)} = ${JSON.stringify(text)}`,
  );
  return [`version = "0.1.0"`, `algorithm = "${algorithm}"`, "[data]", ...files, ""].join("\n");
}
