import { test } from "tap";
import { ProtobufWriter } from "../../src/wire/protobuf-writer.ts";
import { beginFrame, endFrame, FrameParser, maxFrameBytes } from "../../src/wire/ttrpc-frame.ts";
import { Random } from "../fakes/random.ts";

/** Everything the parser said, as text; data is copied at once, as a real sink must. */
function recorder() {
  const said: string[] = [];
  const parser = new FrameParser({
    frame(id, type, bytes, from, to) {
      said.push(
        `${id}/${type}: ${to - from > 100 ? `${to - from} bytes` : Buffer.from(bytes.subarray(from, to))}`,
      );
    },
    oversize(id, type) {
      said.push(`${id}/${type}: oversize`);
    },
  });
  return { parser, said };
}

function header(length: number, id: number, type: number): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(id, 4);
  bytes[8] = type;
  return bytes;
}

function frame(id: number, data: string | Buffer, type = 1): Buffer {
  const body = Buffer.from(data);
  return Buffer.concat([header(body.length, id, type), body]);
}

const three = Buffer.concat([frame(1, "one"), frame(3, ""), frame(0xffff_ffff, "three", 250)]);
const threeSaid = ["1/1: one", "3/1: ", "4294967295/250: three"];

for (const size of [1, 2, 3, 4, 9, 10, 11, 13, 100]) {
  test(`frames are found in chunks of ${size} bytes`, async (t) => {
    const { parser, said } = recorder();
    for (let at = 0; at < three.length; at += size) parser.push(three.subarray(at, at + size));
    t.same(said, threeSaid);
    t.equal(parser.atBoundary, true);
  });
}

test("frames are found in any random fragmentation", async (t) => {
  const random = new Random(7);
  const frames = Array.from({ length: 50 }, (_, i) =>
    frame(i, Buffer.alloc(random.below(300_000) >> random.below(18), 97)),
  );
  const stream = Buffer.concat(frames);
  const whole = recorder();
  whole.parser.push(stream);
  t.equal(whole.said.length, frames.length);
  for (let round = 0; round < 30; round++) {
    const { parser, said } = recorder();
    for (let at = 0; at < stream.length; ) {
      const size = 1 + random.below(random.pick([3, 100, 100_000]));
      // The buffer is overwritten afterwards, as the read buffer of a socket is.
      const chunk = Buffer.from(stream.subarray(at, at + size));
      parser.push(chunk);
      chunk.fill(0xaa);
      at += size;
    }
    t.same(said, whole.said);
  }
});

test("a frame within one chunk is handed on where it is, one across chunks elsewhere, a long one for good", async (t) => {
  const seen: [boolean, boolean][] = [];
  const [bytes, long] = [frame(1, "data"), frame(3, Buffer.alloc(70_000))];
  let chunk = bytes;
  const parser = new FrameParser({
    frame: (_id, _type, data, _from, _to, stable) => void seen.push([data === chunk, stable]),
    oversize: () => {},
  });
  parser.push(bytes);
  for (chunk of [bytes.subarray(0, 12), bytes.subarray(12)]) parser.push(chunk);
  for (chunk of [long.subarray(0, 12), long.subarray(12)]) parser.push(chunk);
  t.same(seen, [
    [true, false],
    [false, false],
    [false, true],
  ]);
});

test("the memory of a gathered frame serves the next one", async (t) => {
  const used: ArrayBufferLike[] = [];
  const parser = new FrameParser({
    frame: (_id, _type, data) => void used.push(data.buffer),
    oversize: () => {},
  });
  const bytes = Buffer.concat([frame(1, "x".repeat(90)), frame(3, "y".repeat(90))]);
  for (let at = 0; at < bytes.length; at += 40) parser.push(bytes.subarray(at, at + 40));
  t.equal(used.length, 2);
  t.equal(used[0], used[1]);
});

test("frames of several streams that are gathered at once do not mix", async (t) => {
  const [one, two] = [recorder(), recorder()];
  const bytes = { a: frame(1, "a".repeat(90)), b: frame(1, "b".repeat(90)) };
  one.parser.push(bytes.a.subarray(0, 50));
  two.parser.push(bytes.b.subarray(0, 50));
  one.parser.push(bytes.a.subarray(50));
  two.parser.push(bytes.b.subarray(50));
  t.same([one.said, two.said], [[`1/1: ${"a".repeat(90)}`], [`1/1: ${"b".repeat(90)}`]]);
});

test("4 MiB are legal, one byte more is passed over and told once", async (t) => {
  for (const size of [1_000_003, 70_000, 9]) {
    const { parser, said } = recorder();
    const legal = Buffer.concat([header(maxFrameBytes, 1, 1), Buffer.alloc(maxFrameBytes)]);
    const long = Buffer.concat([header(maxFrameBytes + 1, 3, 1), Buffer.alloc(maxFrameBytes + 1)]);
    const stream = Buffer.concat([legal, long, frame(5, "next")]);
    const step = size === 9 ? 65_537 : size;
    parser.push(stream.subarray(0, size));
    for (let at = size; at < stream.length; at += step) parser.push(stream.subarray(at, at + step));
    t.same(said, [`1/1: ${maxFrameBytes} bytes`, "3/1: oversize", "5/1: next"]);
  }
});

test("an oversize frame whose header comes byte by byte is passed over as well", async (t) => {
  const { parser, said } = recorder();
  for (const byte of header(maxFrameBytes + 1, 3, 1)) parser.push(Uint8Array.of(byte));
  t.equal(parser.atBoundary, false);
  for (let left = maxFrameBytes + 1; left > 0; left -= 65_536)
    parser.push(new Uint8Array(Math.min(left, 65_536)));
  parser.push(frame(5, "next"));
  t.same(said, ["3/1: oversize", "5/1: next"]);
});

test("headers that promise 4 MiB each claim no memory before the data comes", async (t) => {
  const before = process.memoryUsage().arrayBuffers;
  const parsers = Array.from({ length: 200 }, () => recorder().parser);
  for (const parser of parsers) parser.push(header(maxFrameBytes, 1, 1));
  for (const parser of parsers) parser.push(new Uint8Array(1));
  const claimed = process.memoryUsage().arrayBuffers - before;
  t.ok(claimed < 200 * 128 * 1024, `${claimed} bytes for 200 connections`);
});

test("a written frame is read back, with its length and id", async (t) => {
  const writer = new ProtobufWriter(32);
  const first = beginFrame(writer, 0xffff_fffd, 2);
  writer.raw(Buffer.from("one"));
  t.equal(endFrame(writer, first), 3);
  const second = beginFrame(writer, 7, 2);
  writer.bytesByReference(1, new Uint8Array(70_000));
  t.equal(endFrame(writer, second), 70_004);
  const { parser, said } = recorder();
  for (const chunk of writer.chunks()) parser.push(chunk);
  t.same(said, ["4294967293/2: one", "7/2: 70004 bytes"]);
});

test("any bytes at all leave the parser standing", async (t) => {
  const random = new Random(99);
  let frames = 0;
  const parser = new FrameParser({ frame: () => void frames++, oversize: () => void frames++ });
  for (let round = 0; round < 5000; round++) {
    const bytes = random.bytes(random.below(64));
    if (random.below(2) === 0) bytes.fill(0, 0, 3);
    parser.push(bytes);
  }
  t.ok(frames > 0, `${frames} frames seen`);
});
