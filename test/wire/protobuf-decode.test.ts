import { test } from "tap";
import { CreateContainerRequest, SetGuestDateTimeRequest, WriteStreamRequest } from "../../src/gen/agent.ts";
import { User } from "../../src/gen/oci.ts";
import { AnyValue } from "../../src/gen/otlp.ts";
import { decodeMessage } from "../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { Random } from "../fakes/random.ts";
import { randomMessage } from "../fakes/random-message.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

for (const [what, bytes] of [
  ["a tag without its value", "08"],
  ["a varint that never ends", "18 ffffffffffffffffffffff01"],
  ["a varint that is cut off", "18 ff"],
  ["field number 0", "02 01 61"],
  ["a field number beyond 32 bits", "f8ffffffff7f 00"],
  ["a length beyond the end", "0a 05 61"],
  ["a length of 2^32", "0a 8080808010 61"],
  ["a length of 2^64 - 1", "0a ffffffffffffffffff01"],
  ["text that is not UTF-8", "0a 02 c328"],
  ["long text that is not UTF-8", `0a 28 ${"61".repeat(38)}c328`],
  ["a group", "0b 0c"],
  ["an unknown group", "fb01 fc01"],
  ["wire type 6", "0e 00"],
  ["a message that is longer than its parent", "22 02 0a 05 61 61 61 61 61"],
] as const) {
  test(`${what} is refused`, async (t) => {
    t.throws(() => decodeMessage(CreateContainerRequest, hex(bytes)), WireError);
  });
}

// agent-api 11
test("unknown fields of all wire types are skipped, known ones of another wire type as well", async (t) => {
  const bytes = hex("f801 05  f901 0102030405060708  fa01 03 616263  fd01 01020304  08 07  0a 02 6331");
  t.equal(decodeMessage(CreateContainerRequest, bytes).container_id, "c1");
});

test("repeated numbers come packed, single, or mixed", async (t) => {
  t.same(decodeMessage(User, hex("18 05 1a 03 06 ac02 18 07")).AdditionalGids, [5, 6, 300, 7]);
});

test("a packed list that ends within a number is refused", async (t) => {
  t.throws(() => decodeMessage(User, hex("1a 01 ac 02 00")), WireError);
});

test("of a field that comes twice the last one stands", async (t) => {
  t.equal(decodeMessage(CreateContainerRequest, hex("0a 01 61 0a 01 62")).container_id, "b");
});

test("negative and huge 64-bit numbers keep their value", async (t) => {
  const message = { Sec: -1n, Usec: -(2n ** 63n) };
  t.same(decodeMessage(SetGuestDateTimeRequest, encodeMessage(SetGuestDateTimeRequest, message)), message);
});

test("nesting is bounded", async (t) => {
  let value: Uint8Array = encodeMessage(AnyValue, { string_value: "deep" });
  for (let depth = 0; depth < 30; depth++) value = nest(value);
  t.ok(decodeMessage(AnyValue, value), "60 messages deep");
  for (let depth = 0; depth < 5; depth++) value = nest(value);
  t.throws(() => decodeMessage(AnyValue, value), WireError);
});

/** AnyValue { array_value { values [inner] } } */
function nest(inner: Uint8Array): Uint8Array {
  const field = (tag: number, bytes: Uint8Array) => {
    const length = bytes.length > 127 ? [(bytes.length & 127) | 128, bytes.length >> 7] : [bytes.length];
    return Uint8Array.from([tag, ...length, ...bytes]);
  };
  return field(0x2a, field(0x0a, inner));
}

test("two bytes cannot ask for an object without end: the number of items is bounded", async (t) => {
  const devices = new Uint8Array(4_000_000);
  for (let at = 0; at < devices.length; at += 2) devices[at] = 0x22;
  t.throws(() => decodeMessage(CreateContainerRequest, devices), WireError);
  t.throws(() => decodeMessage(CreateContainerRequest, devices.subarray(0, 40), { maxItems: 10 }), WireError);
  t.equal(decodeMessage(CreateContainerRequest, devices.subarray(0, 40)).devices.length, 20);
});

test("byte arrays are copies, or views when the input is stable", async (t) => {
  const bytes = encodeMessage(WriteStreamRequest, { data: Uint8Array.of(1, 2, 3) });
  const copied = decodeMessage(WriteStreamRequest, bytes).data;
  const view = decodeMessage(WriteStreamRequest, bytes, { stable: true }).data;
  bytes.fill(0xaa);
  t.same([...copied], [1, 2, 3]);
  t.same([...view], [0xaa, 0xaa, 0xaa]);
});

test("a part of the bytes can be decoded", async (t) => {
  const bytes = hex("ff 0a 01 61 ff");
  t.equal(decodeMessage(CreateContainerRequest, bytes, { from: 1, to: 4 }).container_id, "a");
});

test("a map may not poison prototypes", async (t) => {
  const entry = Buffer.concat([hex("3a 0e 0a 09"), Buffer.from("__proto__"), hex("12 01 78")]);
  const spec = Buffer.concat([Uint8Array.of(0x32, entry.length), entry]);
  const { OCI } = decodeMessage(CreateContainerRequest, spec);
  t.equal(OCI?.Annotations.get("__proto__"), "x");
  t.notOk("x" in {});
});

test("whatever a mutated message holds, it decodes or is refused", async (t) => {
  const random = new Random(1);
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = encodeMessage(CreateContainerRequest, randomMessage(CreateContainerRequest, random)).slice(
      0,
      3000,
    );
    for (let change = 0; change <= random.below(4); change++)
      bytes[random.below(bytes.length)] = random.below(256);
    try {
      decodeMessage(CreateContainerRequest, bytes, { to: random.below(bytes.length + 1) });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      refused++;
    }
  }
  t.ok(refused > 100, `${refused} of 3000 refused`);
});
