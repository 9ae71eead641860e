import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import type { SpanDataAttribute } from "../../wire/span-data.ts";
import { TraceJoiner } from "./join-traces.ts";
import { writeAttributes } from "./span-data-writer.ts";
import type { WrittenSpans } from "./span-writer.ts";

/** What a span costs while it waits, beside its bytes. */
const placeBytes = 8;
const scopeName = "kata-agent";
const serviceName = "kata-agent";
const resourceSpansTag = 0x0a;
const scopeSpansTag = 0x12;
const writer = new ProtobufWriter();

/** The spans of one connection that wait for company, and the traces they belong to. */
export class SpanBatch {
  readonly #sandboxId: string | undefined;
  readonly #joiner = new TraceJoiner();
  #parts: Uint8Array[] = [];
  #places: number[] = [];
  #partBytes = 0;
  #resource: readonly SpanDataAttribute[] = [];

  /** `sandboxId`: as far as the host knows it. */
  constructor(sandboxId: string | undefined) {
    this.#sandboxId = sandboxId;
  }

  get spans(): number {
    return this.#places.length;
  }

  /** What it takes in memory, about. */
  get bytes(): number {
    return this.#partBytes + this.spans * placeBytes;
  }

  /** Adds spans. `resource`: of whoever made them; the first one that comes is the batch's. */
  add({ bytes, places }: WrittenSpans, resource: readonly SpanDataAttribute[]): void {
    if (places.length === 0) return;
    if (this.spans === 0) this.#resource = resource;
    for (const place of places) this.#places.push(this.#partBytes + place);
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
  }

  /** All of it as one OTLP ExportTraceServiceRequest; the batch is empty again. */
  finish(): Uint8Array {
    const head = headOf(resourceOf(this.#resource, this.#sandboxId), this.#partBytes);
    const body = Buffer.concat([head, ...this.#parts], head.length + this.#partBytes);
    const places = this.#places.map((place) => head.length + place);
    this.#parts = [];
    this.#places = [];
    this.#partBytes = 0;
    this.#joiner.join(body, places);
    return body;
  }
}

/** All that stands before the spans. */
function headOf(resource: readonly SpanDataAttribute[], spanBytes: number): Uint8Array {
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
