import { createRequire } from "node:module";

/**
 * A batch as the Go runtime's exporter posts it, written by thrift's own library: field numbers as in jaeger.thrift.
 */

type Protocol = Record<string, (...args: unknown[]) => void>;
const load = createRequire(import.meta.url);
const { TBinaryProtocol, TBufferedTransport, Thrift } = load("thrift") as {
  TBinaryProtocol: new (transport: unknown) => Protocol;
  TBufferedTransport: new (buffer: undefined, onFlush: (bytes: Buffer) => void) => { flush(): void };
  Thrift: { Type: Record<string, number> };
};
const { Type } = Thrift as {
  Type: Record<"STRING" | "I64" | "I32" | "BOOL" | "DOUBLE" | "LIST" | "STRUCT", number>;
};

type Field = [id: number, type: number, write: (to: Protocol) => void];

function struct(to: Protocol, fields: Field[]): void {
  to["writeStructBegin"]?.("");
  for (const [id, type, write] of fields) {
    to["writeFieldBegin"]?.("", type, id);
    write(to);
    to["writeFieldEnd"]?.();
  }
  to["writeFieldStop"]?.();
  to["writeStructEnd"]?.();
}

const text = (id: number, value: string): Field => [id, Type.STRING, (to) => to["writeString"]?.(value)];
const i32 = (id: number, value: number): Field => [id, Type.I32, (to) => to["writeI32"]?.(value)];
const bool = (id: number, value: boolean): Field => [id, Type.BOOL, (to) => to["writeBool"]?.(value)];
const double = (id: number, value: number): Field => [id, Type.DOUBLE, (to) => to["writeDouble"]?.(value)];
const Int64 = load("node-int64") as new (hex: string) => unknown;
const i64 = (id: number, value: bigint): Field => [
  id,
  Type.I64,
  (to) => to["writeI64"]?.(new Int64(BigInt.asUintN(64, value).toString(16).padStart(16, "0"))),
];
const list = (id: number, items: Field[][]): Field => [
  id,
  Type.LIST,
  (to) => {
    to["writeListBegin"]?.(Type.STRUCT, items.length);
    for (const item of items) struct(to, item);
    to["writeListEnd"]?.();
  },
];
const one = (id: number, fields: Field[]): Field => [id, Type.STRUCT, (to) => struct(to, fields)];

const tag = (key: string, value: string): Field[] => [text(1, key), i32(2, 0), text(3, value)];

/** A batch in Thrift's binary protocol, with a bit of everything. */
export function jaegerBatch(): Buffer {
  const tags = [
    tag("sandbox_id", "sb1"),
    [text(1, "cpus"), i32(2, 3), i64(6, 2n)],
    [text(1, "ratio"), i32(2, 1), double(4, 0.5)],
    tag("span.kind", "client"),
    [text(1, "error"), i32(2, 2), bool(5, true)],
    tag("otel.status_code", "ERROR"),
    tag("otel.status_description", "no VM"),
    tag("otel.library.name", "katatrace"),
  ];
  const span: Field[] = [
    i64(1, 0x8448eb211c80319cn),
    i64(2, 0x0af7651916cd43ddn),
    i64(3, 0x00f067aa0ba902b7n),
    i64(4, 0xb7ad6b7169203331n),
    text(5, "startVM"),
    list(6, [[i32(1, 1), i64(2, 0xfn), i64(3, 0n), i64(4, 0xen)]]),
    i32(7, 1),
    i64(8, 1789000000123456n),
    i64(9, 2000n),
    list(10, tags),
    list(11, [[i64(1, 1789000000124000n), list(2, [tag("event", "retry")])]]),
  ];
  const process = one(1, [
    text(1, "kata"),
    list(2, [tag("exporter", "jaeger"), tag("service.name", "kata")]),
  ]);
  return written([process, list(2, [span])]);
}

/** A span with these tags: texts, numbers (as long), truth values, byte arrays. */
export type TaggedSpan = {
  id: bigint;
  micros: bigint;
  tags: [key: string, value: string | bigint | boolean | Uint8Array][];
};

/** A batch of such spans, each with an event that has the tags, too. */
export function taggedBatch(spans: readonly TaggedSpan[]): Buffer {
  const fields = spans.map(({ id, micros, tags }) => {
    const written = list(
      10,
      tags.map(([key, value]) => [text(1, key), i32(2, 0), tagValue(value)]),
    );
    const log = [i64(1, micros), [2, written[1], written[2]] as Field];
    return [i64(1, 1n), i64(3, id), i64(8, micros), i64(9, 1n), written, list(11, [log])];
  });
  return written([list(2, fields)]);
}

function tagValue(value: string | bigint | boolean | Uint8Array): Field {
  if (typeof value === "string") return text(3, value);
  if (typeof value === "bigint") return i64(6, value);
  if (typeof value === "boolean") return bool(5, value);
  return [7, Type.STRING, (to) => to["writeBinary"]?.(Buffer.from(value))];
}

function written(fields: Field[]): Buffer {
  let bytes: Buffer = Buffer.alloc(0);
  const transport = new TBufferedTransport(undefined, (flushed) => {
    bytes = flushed;
  });
  struct(new TBinaryProtocol(transport), fields);
  transport.flush();
  return bytes;
}
