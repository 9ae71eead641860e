import { once } from "node:events";
import { connect } from "node:net";
import type { AttributeValue } from "../../src/view/span-record.ts";
import { textVector, vector } from "../fakes/vectors.ts";
import { jaegerBatch } from "../forwarder/jaeger-batch.ts";
import { post } from "../forwarder/running.ts";

/** What a backend has to give back of a span, whatever it was sent as. */
export type Expected = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** OTLP numbers: 1 INTERNAL, 2 SERVER, 3 CLIENT. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Of the status, which is ERROR. */
  readonly message: string;
  /** Name and time of the event, where the span has one. */
  readonly event: { readonly name: string; readonly timeNs: bigint } | undefined;
  readonly service: string;
};

/** A way into the forwarder that is not OTLP, and the one failed span that is sent by it. */
export type OldAgent = {
  readonly encoding: string;
  send(socketPath: string): Promise<void>;
  readonly expected: Expected;
};

const parentSpanId = "b7ad6b7169203331";

/** All of them, each with a trace of its own. */
export const oldAgents: readonly OldAgent[] = [
  {
    encoding: "JSON frames of agents 3.29 to 4.1",
    send: (path) => sendFrame(path, jsonFrame("1af7651916cd43dd8448eb211c80319c")),
    expected: {
      traceId: "1af7651916cd43dd8448eb211c80319c",
      spanId: "00f067aa0ba902b7",
      parentSpanId,
      name: "grpc.AgentService/PauseContainer",
      kind: 2,
      startNs: 1_789_000_000_123_456_789n,
      endNs: 1_789_000_000_124_309_345n,
      attributes: { "rpc.system.name": "ttrpc", "container.id": "c1", "code.line.number": 1073n },
      message: "no such container",
      event: { name: "device updated", timeNs: 1_789_000_000_123_900_000n },
      service: "kata-agent",
    },
  },
  {
    encoding: "bincode frames of agents 2.2 to 3.28",
    send: (path) => sendFrame(path, bincodeFrame("2af7651916cd43dd8448eb211c80319c")),
    expected: {
      traceId: "2af7651916cd43dd8448eb211c80319c",
      spanId: "00f067aa0ba902b7",
      parentSpanId,
      name: "root-span",
      kind: 1,
      startNs: 1_624_000_000_000_000_005n,
      endNs: 1_624_000_001_000_000_006n,
      attributes: {},
      message: "no such container",
      event: undefined,
      service: "kata-agent",
    },
  },
  {
    encoding: "Jaeger thrift of the runtimes",
    send: async (path) => {
      const thrift = { "content-type": "application/x-thrift" };
      await post(path, jaegerBatch(), thrift, "/api/traces?format=jaeger.thrift");
    },
    expected: {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "00f067aa0ba902b7",
      parentSpanId,
      name: "startVM",
      kind: 3,
      startNs: 1_789_000_000_123_456_000n,
      endNs: 1_789_000_000_125_456_000n,
      attributes: { sandbox_id: "sb1", cpus: 2n, ratio: 0.5 },
      message: "no VM",
      event: { name: "retry", timeNs: 1_789_000_000_124_000_000n },
      service: "kata",
    },
  },
];

/** As upstream's agent does: one way, then the end. */
async function sendFrame(path: string, frame: Uint8Array): Promise<void> {
  const socket = connect(path);
  socket.end(frame);
  await once(socket.resume(), "close");
}

/** A frame of agents 3.29 to 4.1: one failed span. */
export function jsonFrame(traceId: string): Buffer {
  const text = textVector("upstream-span-json")
    .replace(/"trace_id":\d+/, `"trace_id":${BigInt(`0x${traceId}`)}`)
    .replace('"Unset","status_message":""', '"Error","status_message":"no such container"');
  return Buffer.concat([lengthOf(text.length), Buffer.from(text)]);
}

/** The golden frame with other ids and a status: its places are those of wire-and-tracing 3.5. */
function bincodeFrame(traceId: string): Buffer {
  const golden = Buffer.from(vector("upstream-span-bincode")).subarray(8);
  golden.set(Buffer.from(traceId, "hex").reverse(), 0);
  golden.set(Buffer.from(parentSpanId, "hex").reverse(), 27);
  const resource = golden.indexOf("service.name") - 17;
  const status = Buffer.concat([Buffer.alloc(12), Buffer.from("no such container")]);
  status.writeUInt32LE(2, 0);
  status.writeUInt32LE(status.length - 12, 4);
  const span = Buffer.concat([golden.subarray(0, resource - 12), status, golden.subarray(resource)]);
  return Buffer.concat([lengthOf(span.length), span]);
}

function lengthOf(bytes: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeBigUInt64BE(BigInt(bytes));
  return header;
}
