import t from "tap";
import { decimalBytes } from "../../src/wire/decimal-bytes.ts";
import type { SpanData } from "../../src/wire/span-data.ts";
import { spanDataFromBincode } from "../../src/wire/span-data-bincode.ts";
import { spanDataFromJson } from "../../src/wire/span-data-json.ts";
import { UpstreamFrames } from "../../src/wire/upstream-frame.ts";
import { Random } from "../fakes/random.ts";
import { textVector, vector } from "../fakes/vectors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const payload = (name: string) => vector(name).subarray(8);

t.test("JSON of agents 3.29 to 4.1: every digit of the ids (wire-and-tracing 3.4)", async (t) => {
  const span = spanDataFromJson(Buffer.from(textVector("upstream-span-json")));
  t.match(span, {
    flags: 1,
    kind: 1,
    name: "pause_container",
    start: { seconds: 1789000000, nanos: 123456789 },
    end: { seconds: 1789000000, nanos: 124309345 },
    statusCode: 0,
    traceState: "",
    links: [],
    resource: [{ key: "service.name", value: { type: "string", value: "unknown_service" } }],
  });
  t.equal(hex(span.traceId), "0af7651916cd43dd8448eb211c80319c");
  t.equal(hex(span.spanId), "00f067aa0ba902b7");
  t.equal(hex(span.parentSpanId), "b7ad6b7169203331");
  t.equal(span.attributes.length, 9);
  t.match(span.events, [
    { name: "device updated", time: { nanos: 123900000 }, attributes: [{ key: "level" }, { key: "target" }] },
  ]);
});

t.test("bincode of agents 2.2 to 3.28 (wire-and-tracing 3.5)", async (t) => {
  const frame = vector("upstream-span-bincode");
  t.equal(frame.length, 8 + 225);
  const span = spanDataFromBincode(payload("upstream-span-bincode"));
  t.match(span, {
    flags: 1,
    kind: 1,
    name: "root-span",
    start: { seconds: 1624000000, nanos: 5 },
    end: { seconds: 1624000001, nanos: 6 },
    attributes: [{ key: "mod", value: { type: "string", value: "x" } }],
    resource: [{ key: "service.name" }],
  });
  t.equal(hex(span.traceId), "0af7651916cd43dd8448eb211c80319c");
  t.equal(hex(span.spanId), "00f067aa0ba902b7");
  t.equal(span.parentSpanId.length, 0, "no parent");
});

t.test("numbers beyond 2^53 stay exact in JSON, in values and in lists", async (t) => {
  const text = textVector("upstream-span-json").replace(
    '"mod":{"String":"rpc.rs"}',
    '"a":{"I64":-9007199254740993},"b":{"Array":{"I64":[1,9007199254740993]}},"c":{"F64":null}',
  );
  const values = new Map(
    spanDataFromJson(Buffer.from(text)).attributes.map(({ key, value }) => [key, value]),
  );
  t.same(values.get("a"), { type: "int", value: -9007199254740993n });
  t.same(values.get("b"), {
    type: "array",
    value: [
      { type: "int", value: 1 },
      { type: "int", value: 9007199254740993n },
    ],
  });
  t.ok(Number.isNaN(values.get("c")?.value), "NaN is written as null");
});

t.test("a text that looks like an id is left alone", async (t) => {
  const trap = String.raw`\"trace_id\":12345678901234567890,`;
  const text = textVector("upstream-span-json").replace('"rpc.rs"', `"${trap}"`);
  const found = spanDataFromJson(Buffer.from(text)).attributes.find(({ key }) => key === "mod");
  t.equal(found?.value.value, '"trace_id":12345678901234567890,');
});

for (const [digits, expected] of [
  ["0", "0000000000000000"],
  ["18446744073709551615", "ffffffffffffffff"],
  ["10000000000000000", "002386f26fc10000"],
] as const)
  t.test(`${digits} is ${expected}`, async (t) =>
    t.equal(hex(decimalBytes(Buffer.from(digits), 0, digits.length, 8)), expected),
  );

for (const digits of ["18446744073709551616", "", "1e5", "-1"])
  t.test(`"${digits}" is no id of 8 bytes`, async (t) => {
    t.throws(() => decimalBytes(Buffer.from(digits), 0, digits.length, 8), { name: "WireError" });
  });

t.test("frames come whole however they are cut", async (t) => {
  const random = new Random(1);
  const frames = [vector("upstream-span-bincode"), Buffer.alloc(8), vector("upstream-span-bincode")];
  const stream = Buffer.concat(frames);
  for (let run = 0; run < 200; run++) {
    const cutter = new UpstreamFrames(1000);
    const found: Uint8Array[] = [];
    for (let at = 0; at < stream.length; ) {
      const to = Math.min(stream.length, at + 1 + random.below(run % 2 === 0 ? 300 : 3));
      found.push(...cutter.push(stream.subarray(at, to)).map((frame) => frame.slice()));
      at = to;
    }
    t.same(
      found.map(hex),
      [0, 2].map((index) => hex((frames[index] as Uint8Array).subarray(8))),
    );
    t.ok(cutter.isWhole);
  }
});

t.test("a length reserves nothing, and one beyond the limit ends it", async (t) => {
  const cutter = new UpstreamFrames(64 * 1024 * 1024);
  cutter.push(Uint8Array.from([0, 0, 0, 0, 3, 0, 0, 0, 1]));
  t.ok(cutter.heldBytes <= 8192, "3 of 64 MiB were promised, one byte came");
  t.notOk(cutter.isWhole);
  for (const length of [Buffer.from([0, 0, 0, 0, 0, 0, 3, 0xe9]), Buffer.alloc(8, 255)])
    for (const pieces of [[length], [length.subarray(0, 3), length.subarray(3)]]) {
      const frames = new UpstreamFrames(1000);
      for (const piece of pieces) t.same(frames.push(piece), []);
      t.match(frames.broken, { name: "WireError" });
    }
});

t.test("frames before a length beyond the limit are given, and none behind it", async (t) => {
  const [one, tooLong] = [Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 7]), Buffer.alloc(8, 255)];
  const frames = new UpstreamFrames(1000);
  t.same(frames.push(Buffer.concat([one, one, tooLong, one])).map(hex), ["07", "07"]);
  t.match(frames.broken, { message: "frame too long" });
  t.same(frames.push(one), []);
});

const decoders: [name: string, good: Uint8Array, decode: (bytes: Uint8Array) => SpanData][] = [
  ["bincode", payload("upstream-span-bincode"), spanDataFromBincode],
  ["JSON", Buffer.from(textVector("upstream-span-json")), spanDataFromJson],
];
for (const [name, good, decode] of decoders)
  t.test(`mutated ${name} is refused or read, and makes nothing large`, async (t) => {
    const random = new Random(7);
    let refused = 0;
    for (let run = 0; run < 20_000; run++) {
      const bytes = mutated(good, random);
      try {
        const span = decode(bytes);
        if (sizeOf(span) > bytes.length * 8 + 100) t.fail(`${hex(bytes)} became larger than it can be`);
      } catch (error) {
        if ((error as Error).name !== "WireError") throw error;
        refused++;
      }
    }
    t.ok(refused > 1000, `${refused} refused`);
  });

function mutated(good: Uint8Array, random: Random): Uint8Array {
  const bytes = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length);
  for (let left = 1 + random.below(4); left > 0 && bytes.length > 0; left--)
    bytes[random.below(bytes.length)] = random.pick([0, 1, 0x22, 0x7d, 0x80, 0xff, random.below(256)]);
  return bytes;
}

/** Things in a span, all of them. */
function sizeOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return typeof value === "string" ? value.length : 1;
  return Object.values(value).reduce((sum: number, each) => sum + sizeOf(each), 1);
}
