import { ExportTraceServiceRequest } from "../../src/gen/otlp.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";

const startNanos = 1_789_000_000_123_456_789n;
const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

/** A call and a failed step below it, with every kind of detail, as one export request. */
export function tracedPod(): { body: Uint8Array; traceId: string; callId: string; stepId: string } {
  const [traceId, callId, stepId] = [
    "0af7651916cd43dd8448eb211c80319c",
    "f0f067aa0ba902b7",
    "b7ad6b7169203331",
  ] as const;
  const call = {
    trace_id: hex(traceId),
    span_id: hex(callId),
    name: "grpc.AgentService/CreateContainer",
    kind: 2,
    start_time_unix_nano: startNanos,
    end_time_unix_nano: startNanos + 2_000_000n,
    attributes: [
      { key: "rpc.system.name", value: { string_value: "ttrpc" } },
      { key: "rpc.method", value: { string_value: "grpc.AgentService/CreateContainer" } },
      { key: "kata.count", value: { int_value: 9_007_199_254_740_993n } },
    ],
    flags: 0x301,
  };
  const step = {
    trace_id: hex(traceId),
    span_id: hex(stepId),
    parent_span_id: hex(callId),
    name: "crun create",
    kind: 1,
    start_time_unix_nano: startNanos,
    end_time_unix_nano: startNanos + 10n,
    attributes: [
      { key: "kata.ratio", value: { double_value: 0.5 } },
      { key: "list", value: { array_value: { values: [{ string_value: "a" }, { bool_value: true }] } } },
    ],
    events: [{ name: "retry", time_unix_nano: startNanos + 543_211n }],
    status: { code: 2, message: "INTERNAL" },
  };
  const resource = {
    attributes: [
      { key: "service.name", value: { string_value: "kata-agent" } },
      { key: "host", value: { string_value: "h" } },
    ],
  };
  const body = encodeMessage(ExportTraceServiceRequest, {
    resource_spans: [{ resource, scope_spans: [{ scope: { name: "kata-agent" }, spans: [call, step] }] }],
  });
  return { body, traceId, callId, stepId };
}
