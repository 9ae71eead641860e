import t from "tap";
import { MemoryQueue } from "../../../src/forwarder/out/memory-queue.ts";

const exported = (body: Uint8Array) => ({ body, spans: 1, origin: "o" });
const filled = (length: number, value: number) => new Uint8Array(length).fill(value);
const maxBytes = 64 * 1024 * 1024;

t.test("what was pushed is kept, though its memory is somebody else's afterwards", async (t) => {
  const queue = new MemoryQueue(maxBytes);
  const lent = filled(1000, 1);
  await queue.push(exported(lent));
  lent.fill(9);
  const [first] = await queue.peek(1);
  t.same(first?.body, Buffer.alloc(1000, 1));
});

t.test("bodies of all lengths come out as they went in, while others come and go", async (t) => {
  const queue = new MemoryQueue(maxBytes);
  const lengths = [1, 70_000, 300_000, 262_144, 40_000, 0, 33_000, 200_000, 65_536, 65_537];
  const expected: Uint8Array[] = [];
  let spans = 0;
  for (let round = 0; round < 40; round++) {
    const body = filled(lengths[round % lengths.length] as number, round);
    await queue.push(exported(body));
    expected.push(body);
    spans++;
    if (round % 3 !== 2) continue;
    const parts = await queue.peek(150_000);
    t.ok(
      parts.every(({ body }, i) => Buffer.compare(body, expected[i] as Uint8Array) === 0),
      `round ${round}`,
    );
    await queue.drop(parts.length);
    expected.splice(0, parts.length);
    spans -= parts.length;
    t.equal(queue.spans, spans);
  }
  const rest = await queue.peek(maxBytes);
  t.equal(rest.length, expected.length);
  t.ok(rest.every(({ body }, i) => Buffer.compare(body, expected[i] as Uint8Array) === 0));
  await queue.drop(rest.length);
  t.equal(queue.bytes, 0);
});

t.test("memory is used again once what stood in it was dropped", async (t) => {
  const queue = new MemoryQueue(maxBytes);
  const memories = new Set<ArrayBufferLike>();
  for (let i = 0; i < 100; i++) {
    await queue.push(exported(filled(50_000, i)));
    await queue.push(exported(filled(50_000, i)));
    const parts = await queue.peek(maxBytes);
    for (const { body } of parts) memories.add(body.buffer);
    await queue.drop(parts.length);
  }
  t.equal(memories.size, 1);
});
