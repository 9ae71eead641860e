import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import { ClientTrace, SpanKind } from "../../src/ctl/client-trace.ts";
import { otlpRequest } from "../../src/ctl/export-spans.ts";
import { formatTraceparent, newTraceContext, parseTraceContext } from "../../src/ctl/trace-context.ts";
import { Collector, decodeRequest } from "../fakes/collector.ts";
import { runAgentctl } from "../fakes/fake-host.ts";
import { startRecordingAgent } from "../fakes/recording-agent.ts";

test("without a place for spans, all calls carry one context and nothing is kept", async (t) => {
  const trace = new ClientTrace(false);
  await trace.span("step", SpanKind.internal, async () => t.same(trace.current(), trace.context));
  t.same(trace.take(), []);
});

test("the given traceparent is the parent of our root, or is sent as it is when nothing is recorded", async (t) => {
  const parent = newTraceContext();
  t.same(new ClientTrace(false, parent).context, parent);
  const recording = new ClientTrace(true, parent);
  await recording.span("root", SpanKind.internal, async () => {});
  t.match(recording.take(), [{ traceId: parent.traceId, parentSpanId: parent.spanId }]);
});

test("concurrent spans each stand below the step that made them", async (t) => {
  const trace = new ClientTrace(true);
  const step = (name: string) =>
    trace.span(name, SpanKind.internal, async () => {
      await new Promise(setImmediate);
      await trace.span(`${name} call`, SpanKind.client, async () => {});
    });
  await trace.span("root", SpanKind.internal, () => Promise.all([step("a"), step("b")]));
  const spans = trace.take();
  const named = (name: string) => spans.find((span) => span.name === name);
  t.equal(named("root")?.spanId, trace.context.spanId);
  for (const name of ["a", "b"]) {
    t.equal(named(name)?.parentSpanId, named("root")?.spanId);
    t.equal(named(`${name} call`)?.parentSpanId, named(name)?.spanId);
  }
});

test("a failed call is an error span with the name of its code, and fails on", async (t) => {
  const trace = new ClientTrace(true);
  const fail = () => Promise.reject(new AgentError(Code.notFound, "gone"));
  await t.rejects(trace.span("call", SpanKind.client, fail), { message: "gone" });
  const [span] = trace.take();
  t.match(span?.status, { error: true, message: "gone" });
  t.equal(span?.attributes.get("error.type"), "NOT_FOUND");
});

test("a foreign OTLP reader understands what we send", async (t) => {
  const trace = new ClientTrace(true);
  await trace.span("root", SpanKind.internal, async (span) => {
    span.set("text", "x");
    span.set("count", 3);
    span.set("share", 0.5);
    span.set("yes", true);
  });
  const { resourceSpans } = decodeRequest(otlpRequest(trace.take()));
  t.match(resourceSpans[0]?.resource.attributes, [
    { key: "service.name", value: { stringValue: "agentctl" } },
  ]);
  t.match(resourceSpans[0]?.scopeSpans[0]?.spans, [
    {
      traceId: trace.context.traceId,
      spanId: trace.context.spanId,
      kind: 1,
      attributes: [
        { key: "text", value: { stringValue: "x" } },
        { key: "count", value: { intValue: "3" } },
        { key: "share", value: { doubleValue: 0.5 } },
        { key: "yes", value: { boolValue: true } },
      ],
    },
  ]);
});

test("with --trace-addr the client span of a call is the parent that the agent was told", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "client-trace-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const collector = new Collector();
  await collector.listen(join(folder, "s"));
  t.teardown(() => collector.close());
  await using agent = await startRecordingAgent();
  const args = ["--addr", agent.address, "--trace-addr", `unix://${folder}/s`, "start", "web"];
  t.match(await runAgentctl(args), { status: 0, stderr: "" });
  const [, traceparent = ""] = agent.calls[0]?.call.metadata[0] ?? [];
  const { traceId, spanId } = parseTraceContext(traceparent);
  t.match(collector.spans, [{ traceId, spanId, name: "grpc.AgentService/StartContainer", kind: 3 }]);
});

test("spans that nobody takes are worth a word and change no exit status", async (t) => {
  await using agent = await startRecordingAgent();
  const ended = await runAgentctl([
    "--addr",
    agent.address,
    "--trace-addr",
    "unix:///nonexistent/s",
    "start",
    "web",
  ]);
  t.match(ended, { status: 0, stderr: /spans could not be sent: .*ENOENT/ });
});

test("a traceparent keeps its ids and whether it is sampled", (t) => {
  for (const flags of ["00", "01"]) {
    const text = `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}`;
    t.equal(formatTraceparent(parseTraceContext(text)), text);
  }
  t.throws(() => parseTraceContext("00-0-0-0"), { name: "UsageError" });
  t.end();
});
