import type { MessageTable } from "./message-table.ts";
import { type Plan, type PlanField, planOf } from "./protobuf-plan.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import { WireError } from "./wire-error.ts";

/**
 * Decodes messages by their tables, from bytes that nobody has checked.
 *
 * Primer. Unknown fields, and known ones of another wire type, are skipped. Repeated scalars come packed or single.
 * Of a field that comes twice the last one stands: also of a message, which is replaced, not merged (no peer of ours
 * splits a message). Members of a oneof do not clear each other. Two bounds hold back hostile input: nesting, and the
 * number of items (messages, list elements, map entries, and single fields that come again), because two bytes of input
 * can ask for an object of 200, or for the same number over and over.
 */
export type DecodeOptions = {
  /** Part of the bytes to decode; default all. */
  readonly from?: number;
  readonly to?: number;
  /** True: the bytes will not change any more, so byte arrays of the message may be views on them. */
  readonly stable?: boolean;
  /** True: byte arrays that have to be copied may lie in blocks (base/blocks.ts), for the receiver to give back. */
  readonly inBlocks?: boolean;
  /** Most items in one message, default 262,144. */
  readonly maxItems?: number;
};

/**
 * Decodes one message.
 * @throws WireError when the bytes are malformed or exceed a bound.
 */
export function decodeMessage<T extends object>(
  table: MessageTable<T>,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): T {
  const decoder = new Decoder(bytes, options.from ?? 0, options.to ?? bytes.length);
  decoder.stable = options.stable ?? false;
  decoder.inBlocks = options.inBlocks ?? false;
  decoder.itemsLeft = options.maxItems ?? maxItems;
  return decoder.message(planOf(table), decoder.end, 0) as T;
}

const maxDepth = 64;
const maxItems = 262_144;

type Values = Record<string, unknown>;

class Decoder extends ProtobufReader {
  stable = false;
  inBlocks = false;
  itemsLeft = 0;

  message(plan: Plan, end: number, depth: number): object {
    if (depth > maxDepth) throw new WireError("nested too deeply");
    const message = plan.table.create() as Values;
    const outerEnd = this.end;
    this.end = end;
    let seen = 0;
    while (this.at < end) {
      const tag = this.tag();
      const field = plan.byNumber[tag >>> 3];
      const wireType = tag & 7;
      if (field === undefined) this.skip(wireType);
      else if (field.rule === "repeated")
        this.#element(message[field.name] as unknown[], field, wireType, depth);
      else if (wireType !== (field.rule === "map" ? 2 : field.wireType)) this.skip(wireType);
      else if (field.rule === "map") this.#entry(message[field.name] as Map<string, unknown>, field, depth);
      else {
        // Of fields 32 numbers apart one counts for the other, which only makes the bound a little tighter.
        const bit = 1 << (tag >>> 3);
        if ((seen & bit) !== 0) this.#item();
        seen |= bit;
        message[field.name] = this.#value(field, depth);
      }
    }
    this.end = outerEnd;
    return message;
  }

  #element(list: unknown[], field: PlanField, wireType: number, depth: number): void {
    if (wireType === field.wireType) {
      this.#item();
      list.push(this.#value(field, depth));
      return;
    }
    if (wireType !== 2) {
      this.skip(wireType);
      return;
    }
    const end = this.length() + this.at;
    while (this.at < end) {
      this.#item();
      list.push(this.#value(field, depth));
    }
    if (this.at !== end) throw new WireError("packed list ends within an element");
  }

  /** A map entry is a message of its own: 1 key, 2 value; either may be missing. */
  #entry(map: Map<string, unknown>, field: PlanField, depth: number): void {
    this.#item();
    const outerEnd = this.end;
    this.end = this.length() + this.at;
    let key = "";
    let value: unknown;
    while (this.at < this.end) {
      const tag = this.tag();
      if (tag === 10) key = this.string();
      else if (tag === 16 + field.wireType) value = this.#value(field, depth + 1);
      else this.skip(tag & 7);
    }
    this.end = outerEnd;
    map.set(key, value ?? zeroOf(field));
  }

  #item(): void {
    if (--this.itemsLeft < 0) throw new WireError("too many items");
  }

  #value(field: PlanField, depth: number): unknown {
    switch (field.kind) {
      case "string":
        return this.string();
      case "uint32":
        return this.uint32();
      case "bytes":
        return this.byteArray(this.stable, this.inBlocks);
      case "message":
        this.#item();
        return this.message(field.plan(), this.length() + this.at, depth + 1);
      case "bool":
        return this.bool();
      case "int32":
      case "enum":
        return this.int32();
      case "int64":
        return this.int64();
      case "uint64":
        return this.uint64();
      case "fixed32":
        return this.fixed32();
      case "fixed64":
        return this.fixed64();
      case "double":
        return this.double();
    }
  }
}

function zeroOf(field: PlanField): unknown {
  if (field.kind === "message") return field.plan().table.create();
  if (field.kind === "string") return "";
  if (field.kind === "bytes") return new Uint8Array(0);
  if (field.kind === "bool") return false;
  return field.kind === "int64" || field.kind === "uint64" || field.kind === "fixed64" ? 0n : 0;
}
