import { test } from "tap";
import { PauseContainerRequest, ReadStreamResponse } from "../../src/gen/agent.ts";
import { Empty } from "../../src/gen/empty.ts";
import { CheckRequest, HealthCheckResponse } from "../../src/gen/health.ts";
import { Request, Response } from "../../src/gen/ttrpc.ts";
import { decodeMessage } from "../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";
import { ProtobufWriter } from "../../src/wire/protobuf-writer.ts";
import {
  RequestReader,
  ResponseReader,
  writeErrorResponse,
  writeRequest,
  writeResponse,
} from "../../src/wire/ttrpc-envelope.ts";
import { beginFrame, endFrame } from "../../src/wire/ttrpc-frame.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { foreignProtos } from "../fakes/foreign-protos.ts";
import { vector } from "../fakes/vectors.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function written(id: number, type: number, write: (writer: ProtobufWriter) => void): Uint8Array {
  const writer = new ProtobufWriter();
  const mark = beginFrame(writer, id, type);
  write(writer);
  endFrame(writer, mark);
  return writer.finish();
}

test("a request with deadline and trace context has the documented bytes", async (t) => {
  const head = {
    service: "grpc.AgentService",
    method: "PauseContainer",
    timeoutNano: 60_000_000_000n,
    metadata: [["traceparent", traceparent]] as const,
  };
  const bytes = written(3, 1, (writer) =>
    writeRequest(writer, head, PauseContainerRequest, { container_id: "c1" }),
  );
  t.same(bytes, vector("ttrpc-request-pause-container"));
});

test("a request with an empty message has the documented bytes", async (t) => {
  const head = { service: "grpc.Health", method: "Check", timeoutNano: 30_000_000_000n };
  const bytes = written(1, 1, (writer) => writeRequest(writer, head, CheckRequest, {}));
  t.same(bytes, vector("ttrpc-request-check"));
});

test("answers have the documented bytes", async (t) => {
  const serving = written(1, 2, (writer) => writeResponse(writer, HealthCheckResponse, { status: 1 }));
  t.same(serving, vector("ttrpc-response-serving"));
  const refused = written(1, 2, (writer) => writeErrorResponse(writer, 12, "method Foo"));
  t.same(refused, vector("ttrpc-response-unimplemented"));
});

test("the documented requests are read", async (t) => {
  const reader = new RequestReader();
  const bytes = vector("ttrpc-request-pause-container");
  reader.read(bytes, 10, bytes.length);
  t.equal(reader.text(reader.service), "grpc.AgentService");
  t.equal(reader.text(reader.method), "PauseContainer");
  t.equal(reader.timeoutNano, 60e9);
  t.same(reader.metadata, [["traceparent", traceparent]]);
  t.same(decodeMessage(PauseContainerRequest, bytes, reader.payload), { container_id: "c1" });
  const check = vector("ttrpc-request-check");
  reader.read(check, 10, check.length);
  t.equal(reader.text(reader.method), "Check");
  t.same([reader.timeoutNano, reader.metadata, reader.payload], [30e9, [], { from: 0, to: 0 }]);
});

for (const name of ["ttrpc-response-serving", "ttrpc-response-serving-with-status"]) {
  test(`the answer of ${name} is read`, async (t) => {
    const bytes = vector(name);
    const reader = new ResponseReader();
    reader.read(bytes, 10, bytes.length);
    t.equal(reader.code, 0);
    t.same(decodeMessage(HealthCheckResponse, bytes, reader.payload), { status: 1 });
  });
}

test("an error is read, and forgotten with the next answer", async (t) => {
  const reader = new ResponseReader();
  const bytes = vector("ttrpc-response-unimplemented");
  reader.read(bytes, 10, bytes.length);
  t.same([reader.code, reader.message], [12, "method Foo"]);
  reader.read(bytes, 10, 10);
  t.same([reader.code, reader.message, reader.payload], [0, "", { from: 0, to: 0 }]);
});

test("keys of metadata are lower case, and a key may come twice", async (t) => {
  const metadata = [
    { key: "TraceParent", value: "A" },
    { key: "x", value: "1" },
    { key: "x", value: "2" },
  ];
  const bytes = encodeMessage(Request, { service: "s", method: "m", timeout_nano: -5n, metadata });
  const reader = new RequestReader();
  reader.read(bytes, 0, bytes.length);
  t.same(reader.metadata, [
    ["traceparent", "A"],
    ["x", "1"],
    ["x", "2"],
  ]);
  t.equal(reader.timeoutNano, -5);
});

test("a request may have 128 pairs of metadata, and no more", async (t) => {
  const reader = new RequestReader();
  const full = Buffer.from("2a00".repeat(128), "hex");
  reader.read(full, 0, full.length);
  t.equal(reader.metadata.length, 128);
  const over = Buffer.from("2a00".repeat(129), "hex");
  t.throws(() => reader.read(over, 0, over.length), new WireError("too much metadata"));
  reader.read(full, 0, 2);
  t.same(reader.metadata, [["", ""]], "what was refused is forgotten");
});

test("what is written by hand is what the schema says", async (t) => {
  const request = foreignProtos().lookupType("ttrpc.Request");
  const writer = new ProtobufWriter();
  const head = { service: "s", method: "m", timeoutNano: -1n, metadata: [["k", "v"]] as const };
  writeRequest(writer, head, PauseContainerRequest, { container_id: "c1" });
  t.match(request.toObject(request.decode(writer.finish()), { longs: Number }), {
    service: "s",
    method: "m",
    timeout_nano: -1,
    metadata: [{ key: "k", value: "v" }],
  });
  writeResponse(writer, ReadStreamResponse, { data: new Uint8Array(5000).fill(1) });
  const response = decodeMessage(Response, writer.finish());
  t.same(decodeMessage(ReadStreamResponse, response.payload).data, new Uint8Array(5000).fill(1));
  writeResponse(writer, Empty, {});
  t.equal(writer.length, 0);
});

for (const hex of ["0a05616263", "2a020a05", "2aff", "0b", "20ffffffffffffffffffffff"]) {
  test(`bytes ${hex} are no request`, async (t) => {
    const bytes = Buffer.from(hex, "hex");
    t.throws(() => new RequestReader().read(bytes, 0, bytes.length), WireError);
  });
}
