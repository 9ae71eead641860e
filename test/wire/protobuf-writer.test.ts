import protobuf from "protobufjs";
import { test } from "tap";
import { ProtobufWriter } from "../../src/wire/protobuf-writer.ts";

test("every kind of field reads back in a foreign reader", async (t) => {
  const writer = new ProtobufWriter(16);
  writer.uint(1, 2 ** 40);
  writer.int32(2, -5);
  writer.int64(3, -(2n ** 63n));
  writer.int64(4, 2n ** 64n - 1n);
  writer.bool(5, true);
  writer.fixed32(6, 0xdeadbeef);
  writer.fixed64(7, 1_700_000_000_123_456_789n);
  writer.fixed64Parts(8, 1, 2);
  writer.double(9, -1.5);
  writer.string(10, "日本".repeat(50));
  writer.bytes(11, Uint8Array.of(1, 2, 3));
  const reader = protobuf.Reader.create(writer.finish());
  const next = <T>(field: number, wireType: number, read: () => T): T => {
    t.equal(reader.uint32(), field * 8 + wireType);
    return read();
  };
  t.equal(
    next(1, 0, () => reader.uint64().toString()),
    String(2 ** 40),
  );
  t.equal(
    next(2, 0, () => reader.int32()),
    -5,
  );
  t.equal(
    next(3, 0, () => reader.int64().toString()),
    String(-(2n ** 63n)),
  );
  t.equal(
    next(4, 0, () => reader.uint64().toString()),
    String(2n ** 64n - 1n),
  );
  t.equal(
    next(5, 0, () => reader.bool()),
    true,
  );
  t.equal(
    next(6, 5, () => reader.fixed32()),
    0xdeadbeef,
  );
  t.equal(
    next(7, 1, () => reader.fixed64().toString()),
    "1700000000123456789",
  );
  t.equal(
    next(8, 1, () => reader.fixed64().toString()),
    String(2n * 2n ** 32n + 1n),
  );
  t.equal(
    next(9, 1, () => reader.double()),
    -1.5,
  );
  t.equal(
    next(10, 2, () => reader.string()),
    "日本".repeat(50),
  );
  t.same([...next(11, 2, () => reader.bytes())], [1, 2, 3]);
  t.equal(reader.pos, reader.len);
});

for (const size of [0, 1, 127, 128, 16_383, 16_384, 70_000]) {
  for (const guess of [1, 2, 3]) {
    test(`a message of ${size} bytes has the shortest length when ${guess} bytes were kept for it`, async (t) => {
      const writer = new ProtobufWriter(16);
      writer.string(1, "before");
      const mark = writer.begin(2, guess);
      writer.raw(new Uint8Array(size).fill(7));
      writer.end(mark, guess);
      writer.string(3, "after");
      const bytes = writer.finish();
      const reader = protobuf.Reader.create(bytes);
      reader.skipType(reader.uint32() & 7);
      reader.uint32();
      t.equal(reader.bytes().length, size);
      reader.uint32();
      t.equal(reader.string(), "after");
      t.equal(bytes.length, 8 + 1 + protobuf.Writer.create().uint32(size).finish().length + size + 7);
    });
  }
}

test("large byte arrays go out uncopied, and count in every length around them", async (t) => {
  const data = new Uint8Array(10_000).fill(9);
  const writer = new ProtobufWriter(16);
  writer.string(1, "x".repeat(300));
  const outer = writer.begin(2);
  const inner = writer.begin(1);
  writer.bytesByReference(1, data);
  writer.bytesByReference(2, data);
  writer.end(inner);
  writer.string(2, "tail");
  writer.end(outer);
  t.equal(writer.length, writer.since(0));
  const chunks = writer.chunks();
  t.equal(chunks.filter((chunk) => chunk === data).length, 2);
  const reader = protobuf.Reader.create(Buffer.concat(chunks));
  reader.skipType(reader.uint32() & 7);
  reader.uint32();
  const outerReader = protobuf.Reader.create(reader.bytes());
  t.equal(reader.pos, reader.len);
  outerReader.uint32();
  const innerBytes = outerReader.bytes();
  outerReader.uint32();
  t.equal(outerReader.string(), "tail");
  t.equal(innerBytes.length, 2 * (1 + 2 + data.length));
});

test("what was taken does not change when the writer goes on", async (t) => {
  const writer = new ProtobufWriter(64);
  const taken: Uint8Array[] = [];
  for (let i = 0; i < 200; i++) {
    writer.string(1, `message ${i}`);
    taken.push(writer.finish());
  }
  t.same(
    taken.map((bytes) => Buffer.from(bytes.subarray(2)).toString()),
    Array.from({ length: 200 }, (_, i) => `message ${i}`),
  );
});

test("rewinding forgets fields and byte arrays by reference", async (t) => {
  const writer = new ProtobufWriter(64);
  writer.uint(1, 1);
  const mark = writer.mark();
  writer.string(2, "gone");
  writer.bytesByReference(3, new Uint8Array(5000));
  writer.rewind(mark);
  t.equal(writer.length, 2);
  t.same([...writer.finish()], [8, 1]);
});

test("a mark behind a byte array by reference does not count it", async (t) => {
  const writer = new ProtobufWriter(64);
  writer.bytesByReference(1, new Uint8Array(5000));
  const mark = writer.skip(4);
  writer.bytesByReference(2, new Uint8Array(6000));
  t.equal(writer.since(mark), 4 + 3 + 6000);
  writer.rewind(mark);
  t.equal(writer.length, 3 + 5000);
});

test("a lone surrogate is written as the replacement character", async (t) => {
  const writer = new ProtobufWriter(64);
  writer.string(1, "a\ud800b");
  t.equal(Buffer.from(writer.finish().subarray(2)).toString(), "a\ufffdb");
});

test("a slab is written over only when it is said to be free and all output was taken", async (t) => {
  const writer = new ProtobufWriter(64);
  writer.string(1, "first");
  const first = writer.finish();
  writer.string(1, "second");
  writer.reuse();
  const second = writer.finish();
  t.equal(Buffer.from(first.subarray(2)).toString(), "first");
  t.equal(Buffer.from(second.subarray(2)).toString(), "second");
  t.equal(second.byteOffset, first.length, "it went on behind the first");
  writer.reuse();
  writer.string(1, "third");
  const third = writer.finish();
  t.equal(third.byteOffset, 0);
  t.equal(third.buffer, first.buffer);
  t.equal(Buffer.from(third.subarray(2)).toString(), "third");
});
