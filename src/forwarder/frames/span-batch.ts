import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import type { SpanDataAttribute } from "../../wire/span-data.ts";
import { borrowBuffer, returnBuffer } from "../in/body-buffers.ts";
import { TraceJoiner } from "./join-traces.ts";
import { writeAttributes } from "./span-data-writer.ts";
import type { WrittenSpans } from "./span-writer.ts";

/** What a span costs while it waits, beside its bytes. */
const placeBytes = 8;
const scopeName = "kata-agent";
const serviceName = "kata-agent";
const resourceSpansTag = 0x0a;
const scopeSpansTag = 0x12;
/** More than resources and scopes take; where they do not fit, the batch is copied once more. */
const headRoom = 1024;
const none: Uint8Array = new Uint8Array(0);
const writer = new ProtobufWriter();

/**
 * The spans of one connection that wait for company, and the traces they belong to.
 *
 * They stand in a borrowed buffer, behind room for what comes before the first of them. A finished batch keeps the buffer
 * until it is released, and the next one has another.
 */
export class SpanBatch {
  readonly #sandboxId: string | undefined;
  readonly #joiner = new TraceJoiner();
  #buffer = none;
  #end = headRoom;
  #places: number[] = [];
  #resource: readonly SpanDataAttribute[] = [];
  /** Of the batch that is finished. */
  #lent = none;

  /** `sandboxId`: as far as the host knows it. */
  constructor(sandboxId: string | undefined) {
    this.#sandboxId = sandboxId;
  }

  get spans(): number {
    return this.#places.length;
  }

  /** What it takes in memory, with what is finished and not released. */
  get bytes(): number {
    return this.#buffer.length + this.#lent.length + this.spans * placeBytes;
  }

  /** Copies spans. `resource`: of whoever made them; the first one that comes is the batch's. */
  add({ bytes, places }: WrittenSpans, resource: readonly SpanDataAttribute[]): void {
    if (places.length === 0) return;
    if (this.spans === 0) this.#resource = resource;
    const end = this.#end + bytes.length;
    if (end > this.#buffer.length) this.#grow(end);
    this.#buffer.set(bytes, this.#end);
    for (const place of places) this.#places.push(this.#end + place);
    this.#end = end;
  }

  /**
   * All of it as one OTLP ExportTraceServiceRequest, good until {@link release}; what is added from now on is the next
   * batch. Precondition: the one before is released.
   */
  finish(): Uint8Array {
    const [buffer, end] = [this.#buffer, this.#end];
    this.#joiner.join(buffer, this.#places);
    const head = headOf(resourceOf(this.#resource, this.#sandboxId), end - headRoom);
    this.#lent = buffer;
    this.#buffer = none;
    this.#end = headRoom;
    this.#places = [];
    if (head.length > headRoom) return Buffer.concat([head, buffer.subarray(headRoom, end)]);
    buffer.set(head, headRoom - head.length);
    return buffer.subarray(headRoom - head.length, end);
  }

  /** Nobody looks at the finished batch any more. Safe to repeat. */
  release(): void {
    if (this.#lent.length > 0) returnBuffer(this.#lent);
    this.#lent = none;
  }

  #grow(bytes: number): void {
    const larger = borrowBuffer(bytes);
    larger.set(this.#buffer.subarray(0, this.#end));
    if (this.#buffer.length > 0) returnBuffer(this.#buffer);
    this.#buffer = larger;
  }
}

/** All that stands before the spans. */
function headOf(resource: readonly SpanDataAttribute[], spanBytes: number): Uint8Array {
  writer.rewind(0);
  const mark = writer.begin(1, 2);
  writeAttributes(writer, 1, resource);
  writer.end(mark, 2);
  const resourceField = writer.finish();
  const scope = writer.begin(1);
  writer.string(1, scopeName);
  writer.end(scope);
  const scopeField = writer.finish();
  writer.varint(scopeSpansTag);
  writer.varint(scopeField.length + spanBytes);
  const scopeSpansHead = writer.finish();
  const inner = [resourceField, scopeSpansHead, scopeField];
  const innerBytes = resourceField.length + scopeSpansHead.length + scopeField.length + spanBytes;
  writer.varint(resourceSpansTag);
  writer.varint(innerBytes);
  return Buffer.concat([writer.finish(), ...inner]);
}

/** The agent has no name of its own for its service, and no sandbox id (wire-and-tracing 3.3). */
function resourceOf(
  attributes: readonly SpanDataAttribute[],
  sandboxId: string | undefined,
): SpanDataAttribute[] {
  const resource = attributes.filter(
    ({ key, value }) =>
      key !== "service.name" || (value.type === "string" && !value.value.startsWith("unknown_service")),
  );
  const add = (key: string, value: string) => {
    if (!resource.some((attribute) => attribute.key === key))
      resource.unshift({ key, value: { type: "string", value } });
  };
  if (sandboxId !== undefined) add("kata.sandbox.id", sandboxId);
  add("service.name", serviceName);
  return resource;
}
