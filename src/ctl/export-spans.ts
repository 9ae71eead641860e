import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Input } from "../gen/message-type.ts";
import { ExportTraceServiceRequest, type KeyValue, type Span } from "../gen/otlp.ts";
import { OtlpConnection } from "../trace/otlp-connection.ts";
import type { AttributeValue, SpanRecord } from "../view/span-record.ts";
import type { Address } from "../vsock/address.ts";
import { dial } from "../vsock/dial.ts";
import { encodeMessage } from "../wire/protobuf-encode.ts";

const statusError = 2;
/** A collector answers at once; whoever does not shall not hold the user's terminal. */
const maxWaitMs = 5_000;

function keyValue(key: string, value: AttributeValue): Input<KeyValue> {
  if (typeof value === "string") return { key, value: { string_value: value } };
  if (typeof value === "boolean") return { key, value: { bool_value: value } };
  if (typeof value === "bigint") return { key, value: { int_value: value } };
  return { key, value: Number.isSafeInteger(value) ? { int_value: BigInt(value) } : { double_value: value } };
}

function otlpSpan(span: SpanRecord): Input<Span> {
  return {
    trace_id: Buffer.from(span.traceId, "hex"),
    span_id: Buffer.from(span.spanId, "hex"),
    parent_span_id: Buffer.from(span.parentSpanId, "hex"),
    name: span.name,
    kind: span.kind,
    start_time_unix_nano: span.startNs,
    end_time_unix_nano: span.endNs,
    attributes: [...span.attributes].map(([key, value]) => keyValue(key, value)),
    status: span.status.error ? { code: statusError, message: span.status.message } : undefined,
    flags: 1,
  };
}

/** Our own spans as one OTLP request. They all come from this program, so one resource and one scope hold them. */
export function otlpRequest(spans: readonly SpanRecord[]): Uint8Array {
  const request: Input<ExportTraceServiceRequest> = {
    resource_spans: [
      {
        resource: { attributes: [keyValue("service.name", "agentctl")] },
        scope_spans: [{ scope: { name: "agentctl" }, spans: spans.map(otlpSpan) }],
      },
    ],
  };
  return encodeMessage(ExportTraceServiceRequest, request);
}

/**
 * Sends spans of ours to a collector or forwarder, as OTLP over HTTP, in one attempt.
 * @throws AgentError UNAVAILABLE when it does not take them within five seconds.
 */
export async function exportSpans(
  address: Address,
  spans: readonly SpanRecord[],
  timeoutMs: number,
): Promise<void> {
  const limitMs = Math.min(timeoutMs || maxWaitMs, maxWaitMs);
  const connection = new OtlpConnection({
    connect: (connectMs) => dial(address, { timeoutMs: connectMs }),
    authority: address.kind === "tcp" ? `${address.host}:${address.port}` : "localhost",
    connectTimeoutMs: limitMs,
    answerTimeoutMs: limitMs,
  });
  try {
    const sent = await connection.send({ path: "/v1/traces", body: [otlpRequest(spans)] });
    if (sent.status !== "sent") throw AgentError.from(sent.error, undefined, Code.unavailable);
  } finally {
    connection.close();
  }
}
