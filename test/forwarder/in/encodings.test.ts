import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import t, { type Test } from "tap";
import { attributesOf, type Collector as Backend, Collector, type OtlpSpan } from "../../fakes/collector.ts";
import { textVector, vector } from "../../fakes/vectors.ts";
import { jaegerBatch } from "../jaeger-batch.ts";
import { exportOf, post, type Running, runForwarder, temporaryFolder } from "../running.ts";

type Path = { path: string; backend: Backend; forwarder: Running };

/** A forwarder on a Unix socket, and a collector behind it. */
async function start(t: Test, vmm = false): Promise<Path> {
  const folder = temporaryFolder(t);
  const backend = new Collector();
  const port = await backend.listen(0);
  t.teardown(() => backend.close());
  const path = join(folder, "s");
  const where = vmm ? ["--socket-path", path] : ["-l", `unix://${path}`];
  const forwarder = await runForwarder(t, ...where, "-o", `http://127.0.0.1:${port}`);
  return { path: vmm ? `${path}_10240` : path, backend, forwarder };
}

function frame(payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload as string);
  const header = Buffer.alloc(8);
  header.writeBigUInt64BE(BigInt(bytes.length));
  return Buffer.concat([header, bytes]);
}

/** Sends as upstream's agent does: one way, then the end. */
async function sendFrames(path: string, ...frames: Uint8Array[]): Promise<void> {
  const socket = connect(path);
  socket.end(Buffer.concat(frames));
  await once(socket.resume(), "close");
}

function jsonSpan(name: string, ids: { trace: number; span: number; parent: number }): Buffer {
  const span = JSON.parse(
    textVector("upstream-span-json").replace(/"(trace|span|parent_span)_id":\d+/g, '"$1_id":1'),
  );
  span.name = name;
  span.span_context.trace_id = ids.trace;
  span.span_context.span_id = ids.span;
  span.parent_span_id = ids.parent;
  return frame(JSON.stringify(span));
}

t.test("a span of agent 4.1 arrives mended: name, kind, attributes, and no request", async (t) => {
  const { path, backend } = await start(t);
  await sendFrames(path, frame(textVector("upstream-span-json")));
  await backend.until(() => backend.spans.length === 1);
  const span = backend.spans[0] as OtlpSpan;
  t.match(span, {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "00f067aa0ba902b7",
    parentSpanId: "b7ad6b7169203331",
    name: "grpc.AgentService/PauseContainer",
    kind: 2,
    startTimeUnixNano: "1789000000123456789",
    endTimeUnixNano: "1789000000124309345",
    flags: 0x301,
    droppedAttributesCount: 2,
    events: [{ name: "device updated", timeUnixNano: "1789000000123900000" }],
  });
  t.same(attributesOf(span), {
    "code.file.path": "src/agent/src/rpc.rs",
    "code.line.number": 1073,
    "code.function.name": "kata_agent::rpc::pause_container",
    "thread.id": 3,
    "thread.name": "tokio-rt-worker",
    "kata.busy_ns": 812345,
    "kata.idle_ns": 40211,
    "rpc.system.name": "ttrpc",
    "rpc.method": "grpc.AgentService/PauseContainer",
    "container.id": "c1",
  });
  t.notOk(
    backend.bodies.some((body) => body.includes("PauseContainerRequest")),
    "the request stayed behind",
  );
});

t.test("a span of agent 3.28 arrives, with the service's name", async (t) => {
  const { path, backend } = await start(t);
  await sendFrames(path, vector("upstream-span-bincode"));
  await backend.until(() => backend.spans.length === 1);
  t.match(backend.spans, [
    {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      name: "root-span",
      kind: 1,
      endTimeUnixNano: "1624000001000000006",
    },
  ]);
  t.ok(backend.bodies[0]?.includes("kata-agent"));
  t.notOk(backend.bodies[0]?.includes("unknown_service"));
});

t.test("a span of agent 3.28 arrives also when its trace id begins with a brace's byte", async (t) => {
  const { path, backend } = await start(t);
  const span = Buffer.from(vector("upstream-span-bincode"));
  span[8] = 0x7b;
  await sendFrames(path, span);
  await backend.until(() => backend.spans.length === 1);
  t.equal(backend.spans[0]?.traceId, "0af7651916cd43dd8448eb211c80317b");
});

t.test("a shattered trace is one again, also when its pieces come apart", async (t) => {
  const { path, backend } = await start(t);
  const socket = connect(path);
  t.teardown(() => socket.destroy());
  socket.write(
    Buffer.concat([
      jsonSpan("grandchild", { trace: 11, span: 3, parent: 2 }),
      jsonSpan("child", { trace: 12, span: 2, parent: 1 }),
    ]),
  );
  await backend.until(() => backend.spans.length === 2);
  socket.write(
    Buffer.concat([
      jsonSpan("create_container", { trace: 13, span: 1, parent: 0 }),
      jsonSpan("other", { trace: 14, span: 9, parent: 0 }),
    ]),
  );
  await backend.until(() => backend.spans.length === 4);
  const traces = new Map(backend.spans.map((span) => [span.name, span.traceId]));
  t.equal(traces.get("grandchild"), traces.get("child"));
  t.equal(traces.get("grpc.AgentService/CreateContainer"), traces.get("child"));
  t.not(traces.get("other"), traces.get("child"));
});

t.test("garbage among the frames costs only itself", async (t) => {
  const { path, backend, forwarder } = await start(t);
  await sendFrames(
    path,
    frame("no span"),
    frame("{}"),
    frame(textVector("upstream-span-json")),
    Buffer.alloc(5),
  );
  await backend.until(() => backend.spans.length === 1);
  t.match(
    await forwarder.metrics(),
    /kata_forwarder_requests_refused_total\{encoding="upstream-json",status="400"\} 1/,
    "and is counted",
  );
  await sendFrames(path, Buffer.alloc(8, 255), frame(textVector("upstream-span-json")));
  await sendFrames(path, frame(textVector("upstream-span-json")));
  await backend.until(() => backend.spans.length === 2);
});

t.test("the sandbox of a VMM's socket is told to old agents' spans", async (t) => {
  const folder = temporaryFolder(t);
  const backend = new Collector();
  const port = await backend.listen(0);
  t.teardown(() => backend.close());
  const { mkdirSync } = await import("node:fs");
  mkdirSync(join(folder, "5a5a"));
  await runForwarder(t, "--watch", `${folder}/{sandbox}/clh.sock`, "-o", `http://127.0.0.1:${port}`);
  await sendFrames(join(folder, "5a5a", "clh.sock_10240"), frame(textVector("upstream-span-json")));
  await backend.until(() => backend.spans.length === 1);
  t.ok(backend.bodies[0]?.includes("kata.sandbox.id"));
  t.ok(backend.bodies[0]?.includes("5a5a"));
});

t.test("OTLP over gRPC shares the listener", async (t) => {
  const { path, backend } = await start(t);
  const client = new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure());
  t.teardown(() => client.close());
  const call = (body: Uint8Array) =>
    new Promise<number>((resolve) => {
      const asIs = (bytes: Buffer) => bytes;
      client.makeUnaryRequest(
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        asIs,
        asIs,
        Buffer.from(body),
        (error) => resolve(error?.code ?? 0),
      );
    });
  t.equal(await call(exportOf("by gRPC")), 0);
  t.equal(await call(Buffer.from("nonsense")), 3, "INVALID_ARGUMENT");
  t.equal((await post(path, exportOf("by HTTP"))).status, 200);
  await backend.until(() => backend.spans.length === 2);
  t.same(backend.spans.map((span) => span.name).sort(), ["by HTTP", "by gRPC"]);
});

t.test("JSON becomes protobuf: ids, times, values", async (t) => {
  const { path, backend } = await start(t);
  const attributes = [
    { key: "big", value: { intValue: "9007199254740993" } },
    { key: "list", value: { arrayValue: { values: [{ boolValue: true }, { doubleValue: 1.5 }] } } },
    { key: "bytes", value: { bytesValue: "AQI=" } },
  ];
  const span = {
    traceId: "0AF7651916CD43DD8448EB211C80319C",
    spanId: "00f067aa0ba902b7",
    parentSpanId: "",
    name: "json",
    kind: 3,
    startTimeUnixNano: "1789000000123456789",
    endTimeUnixNano: 1789000000,
    status: { code: 2, message: "m" },
    attributes,
    futureField: {},
  };
  const body = { resourceSpans: [{ resource: {}, scopeSpans: [{ scope: { name: "s" }, spans: [span] }] }] };
  const json = { "content-type": "application/json" };
  t.equal((await post(path, JSON.stringify(body), json)).status, 200);
  await backend.until(() => backend.spans.length === 1);
  t.match(backend.spans, [
    {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      name: "json",
      kind: 3,
      startTimeUnixNano: "1789000000123456789",
      status: { code: 2, message: "m" },
      attributes: [{ value: { intValue: "9007199254740993" } }, { key: "list" }, { key: "bytes" }],
    },
  ]);
  for (const wrong of ['{"traceId":"xyz"}', '{"kind":"x"}', '{"name":1}'])
    t.equal(
      (await post(path, `{"resourceSpans":[{"scopeSpans":[{"spans":[${wrong}]}]}]}`, json)).status,
      400,
    );
});

t.test("what a Kata runtime posts as Jaeger thrift arrives", async (t) => {
  const { path, backend } = await start(t);
  const thrift = { "content-type": "application/x-thrift" };
  t.equal((await post(path, jaegerBatch(), thrift, "/api/traces?format=jaeger.thrift")).status, 202);
  await backend.until(() => backend.spans.length === 1);
  const span = backend.spans[0] as OtlpSpan;
  t.match(span, {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "00f067aa0ba902b7",
    parentSpanId: "b7ad6b7169203331",
    name: "startVM",
    kind: 3,
    startTimeUnixNano: "1789000000123456000",
    endTimeUnixNano: "1789000000125456000",
    status: { code: 2, message: "no VM" },
    events: [{ name: "retry", timeUnixNano: "1789000000124000000" }],
    links: [{ traceId: "0000000000000000000000000000000f", spanId: "000000000000000e" }],
  });
  t.same(attributesOf(span), { sandbox_id: "sb1", cpus: 2, ratio: 0.5 });
  t.ok(backend.bodies[0]?.includes("kata"), "the service");
  t.equal((await post(path, "nonsense", thrift, "/api/traces")).status, 400);
});
