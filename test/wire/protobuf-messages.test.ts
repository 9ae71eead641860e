import protobuf from "protobufjs";
import { test } from "tap";
import * as agent from "../../src/gen/agent.ts";
import * as csi from "../../src/gen/csi.ts";
import { Empty } from "../../src/gen/empty.ts";
import * as health from "../../src/gen/health.ts";
import type { MessageType } from "../../src/gen/message-type.ts";
import * as oci from "../../src/gen/oci.ts";
import * as otlp from "../../src/gen/otlp.ts";
import * as trace from "../../src/gen/trace-control.ts";
import * as ttrpc from "../../src/gen/ttrpc.ts";
import * as types from "../../src/gen/types.ts";
import { decodeMessage } from "../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";
import { foreignProtos } from "../fakes/foreign-protos.ts";
import { Random } from "../fakes/random.ts";
import { randomMessage } from "../fakes/random-message.ts";

const root = foreignProtos();
const modules = [agent, csi, { Empty }, health, oci, otlp, trace, ttrpc, types];
const all = modules
  .flatMap((module) => Object.values(module as Record<string, object>))
  .filter((value): value is MessageType => "create" in value);

/** A 64-bit number in the form of the foreign library. */
function toLong(value: bigint, unsigned: boolean): object {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned };
}

function isLong(value: unknown): boolean {
  return typeof value === "object" && value !== null && "low" in value && "high" in value;
}

/** Our message as the foreign library wants it. */
function toForeign(type: MessageType, message: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [, name, kind, rule, of] of type.fields) {
    const one = (value: unknown): unknown => {
      if (kind === "message") return toForeign((of as () => MessageType)(), value as Record<string, unknown>);
      if (typeof value === "bigint") return toLong(value, kind !== "int64");
      return value;
    };
    const value = message[name];
    if (value === undefined) continue;
    if (rule === "repeated") result[name] = (value as unknown[]).map(one);
    else if (rule === "map") {
      result[name] = Object.fromEntries(
        [...(value as Map<string, unknown>)].map(([key, v]) => [key, one(v)]),
      );
    } else result[name] = one(value);
  }
  return result;
}

/** Both in one form that can be compared: no absent fields, no bigints, no buffers. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "bigint" || isLong(value)) return String(value);
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Map) return comparable(Object.fromEntries(value));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, v]) => v !== undefined && v !== null);
  return Object.fromEntries(entries.sort().map(([key, v]) => [key, comparable(v)]));
}

function* typesIn(namespace: protobuf.NamespaceBase): Generator<string> {
  for (const object of namespace.nestedArray) {
    if (object instanceof protobuf.Type) yield object.fullName.slice(1);
    if (object instanceof protobuf.Namespace) yield* typesIn(object);
  }
}

test("all messages of the protos are here", async (t) => {
  t.same(all.map((type) => type.name).sort(), [...typesIn(root)].sort());
});

for (const type of all) {
  test(`${type.name} means the same to us and to a foreign library`, async (t) => {
    const foreign = root.lookupType(type.name);
    const random = new Random(type.name.length * 7919);
    for (let round = 0; round < 20; round++) {
      const message = randomMessage(type, random);
      const ours = encodeMessage(type, message);
      const theirs = foreign.encode(foreign.fromObject(toForeign(type, message))).finish();
      t.same(comparable(decodeMessage(type, ours)), comparable(message), "our bytes, read by us");
      t.same(comparable(decodeMessage(type, theirs)), comparable(message), "their bytes, read by us");
      const plain = foreign.toObject(foreign.decode(ours), { arrays: true, objects: true });
      const expected = foreign.toObject(foreign.decode(theirs), { arrays: true, objects: true });
      t.same(comparable(plain), comparable(expected), "our bytes, read by them");
    }
  });
}
