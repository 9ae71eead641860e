import { InstrumentationScope, Resource } from "../../gen/otlp.ts";
import { writeMessage } from "../../wire/protobuf-encode.ts";
import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import { ThriftReader, thriftType } from "../../wire/thrift-reader.ts";
import { JaegerSpanWalker } from "./jaeger-span.ts";
import { type Attribute, tagsOf } from "./jaeger-tags.ts";

/**
 * Jaeger's thrift `Batch`, as both Kata runtimes post it to `/api/traces` (wire-and-tracing 4.2, 4.3), to OTLP.
 *
 * Field numbers of jaeger.thrift: Batch 1 process, 2 spans; Process 1 serviceName, 2 tags. Spans are written as they are
 * walked, and what stands around them is written when all are: their scopes are known then, and the process too.
 */

const firstBytes = 64 * 1024;
/** Lengths of whole batches rarely need fewer bytes. */
const usually = 3;
const spansOut = new ProtobufWriter(firstBytes);
const out = new ProtobufWriter(firstBytes);

/** Spans that follow each other in the bytes and have the same scope. */
type Run = { readonly scope: string; readonly from: number; to: number };

/** The bytes are good until the next call. @throws WireError when they are not a batch. */
export function otlpFromJaeger(body: Uint8Array): Uint8Array {
  for (const writer of [spansOut, out]) {
    // What a batch that was none has left there.
    writer.rewind(0);
    writer.reuse();
  }
  const from = new ThriftReader(body);
  const walker = new JaegerSpanWalker(body, from, spansOut);
  let attributes: Attribute[] = [];
  const runs: Run[] = [];
  from.struct((id, type) => {
    if (id === 1 && type === thriftType.struct) attributes = processOf(from);
    else if (id === 2 && type === thriftType.list) from.structs(() => addSpan(walker, runs));
    else return false;
    return true;
  });
  return runs.length === 0 ? new Uint8Array(0) : written(attributes, runs, spansOut.finish());
}

function addSpan(walker: JaegerSpanWalker, runs: Run[]): void {
  const from = spansOut.length;
  const scope = walker.walk();
  const last = runs.at(-1);
  if (last?.scope === scope) last.to = spansOut.length;
  else runs.push({ scope, from, to: spansOut.length });
}

function written(attributes: readonly Attribute[], runs: readonly Run[], spans: Uint8Array): Uint8Array {
  const resourceSpans = out.begin(1, usually);
  const resource = out.begin(1);
  writeMessage(out, Resource, { attributes });
  out.end(resource);
  for (const [name, ofScope] of Map.groupBy(runs, ({ scope }) => scope)) {
    const scopeSpans = out.begin(2, usually);
    const scope = out.begin(1);
    writeMessage(out, InstrumentationScope, { name });
    out.end(scope);
    for (const { from, to } of ofScope) out.raw(spans.subarray(from, to));
    out.end(scopeSpans, usually);
  }
  out.end(resourceSpans, usually);
  return out.finish();
}

function processOf(from: ThriftReader): Attribute[] {
  // As often as the sender likes: the last one counts, and none moves the tags.
  let service: Attribute | undefined;
  const tags: Attribute[] = [];
  from.struct((id, type) => {
    if (id === 1 && type === thriftType.string)
      service = { key: "service.name", value: { string_value: from.string() } };
    else if (id === 2 && type === thriftType.list) for (const tag of tagsOf(from)) tags.push(tag);
    else return false;
    return true;
  });
  const attributes = service === undefined ? tags : [service, ...tags];
  return attributes.filter(({ key }, index) => key !== "service.name" || index === 0);
}
