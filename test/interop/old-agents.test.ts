/** Spans in by every encoding that is not OTLP, out by the query of a real backend: nothing of them is lost or bent. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Test, test } from "tap";
import { freePort } from "../../scripts/loopback.ts";
import { parseOtlpLine } from "../../src/view/otlp-json.ts";
import type { SpanRecord } from "../../src/view/span-record.ts";
import { linesOf, runForwarder, temporaryFolder } from "../forwarder/running.ts";
import { eventually } from "./backends/backend.ts";
import { collectorSkip, startCollector } from "./backends/collector.ts";
import {
  type DatadogSpan,
  datadogSkip,
  judgeSkip,
  judgeTraces,
  startDatadogAgent,
} from "./backends/datadog.ts";
import { jaegerSkip, startJaeger } from "./backends/jaeger.ts";
import { startZipkin, zipkinSkip } from "./backends/zipkin.ts";
import { type Expected, oldAgents } from "./old-agents.ts";

/** A forwarder with these backends, which has been sent the span of every old agent. */
async function sendAll(t: Test, ...backends: string[]): Promise<void> {
  const path = join(temporaryFolder(t), "s");
  await runForwarder(t, "-l", `unix://${path}`, ...backends);
  for (const { send } of oldAgents) await send(path);
}

/** Every field, to the nanosecond. */
function isSame(t: Test, found: SpanRecord | undefined, expected: Expected, encoding: string): void {
  const { attributes, message, event, ...rest } = expected;
  const status = { error: true, message };
  t.match(found, { ...rest, status, events: event === undefined ? [] : [event] }, encoding);
  t.match(Object.fromEntries(found?.attributes ?? []), attributes, `${encoding}: attributes`);
}

test("the Collector's own encoder gives each of them back whole", { skip: collectorSkip }, async (t) => {
  const file = join(temporaryFolder(t), "spans.jsonl");
  const port = await freePort();
  await runForwarder(t, "-l", `tcp://127.0.0.1:${port}`, "--file", file);
  const collector = await startCollector(t, `http://127.0.0.1:${port}`);
  await sendAll(t, "--otlp", collector.httpUrl);
  const spans = await eventually("spans in the file", async () => {
    const found = linesOf(file).flatMap((line) => parseOtlpLine(JSON.stringify(line)).spans);
    return found.length >= oldAgents.length ? found : undefined;
  });
  for (const { encoding, expected } of oldAgents)
    isSame(
      t,
      spans.find(({ traceId }) => traceId === expected.traceId),
      expected,
      encoding,
    );
});

test("Jaeger gives each of them back whole", { skip: jaegerSkip }, async (t) => {
  const jaeger = await startJaeger(t);
  await sendAll(t, "--otlp-endpoint", jaeger.grpcUrl);
  for (const { encoding, expected } of oldAgents) {
    const [span] = await jaeger.trace(expected.traceId, 1);
    isSame(t, span, expected, encoding);
  }
});

const zipkinKinds: readonly (string | undefined)[] = [undefined, undefined, "SERVER", "CLIENT"];

test("Zipkin gives each of them back, in its own words", { skip: zipkinSkip }, async (t) => {
  const zipkin = await startZipkin(t);
  await sendAll(t, "--zipkin", zipkin.url);
  for (const { encoding, expected } of oldAgents) {
    const [span] = await zipkin.trace(expected.traceId, 1);
    const { startNs, endNs, event } = expected;
    t.match(
      span,
      {
        traceId: expected.traceId,
        id: expected.spanId,
        parentId: expected.parentSpanId,
        name: expected.name.toLowerCase(),
        timestamp: Number(startNs / 1000n),
        duration: Number((endNs - startNs) / 1000n),
        localEndpoint: { serviceName: expected.service },
        tags: { ...asTexts(expected), "otel.status_code": "ERROR", error: expected.message },
      },
      encoding,
    );
    t.equal(span?.kind, zipkinKinds[expected.kind]);
    const [annotation] = span?.annotations ?? [];
    t.equal(annotation?.timestamp, event && Number(event.timeNs / 1000n));
    if (event !== undefined) t.match(annotation?.value, event.name);
  }
});

test("Datadog's agent gives each of them back, in its own words", { skip: datadogSkip }, async (t) => {
  const agent = await startDatadogAgent(t);
  await sendAll(t, "--datadog", agent.url);
  const spans = await agent.spans(oldAgents.length);
  for (const { encoding, expected } of oldAgents) isSameInDatadog(t, spans, expected, encoding);
});

test("Datadog's own decoder takes each of them", { skip: judgeSkip }, async (t) => {
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks));
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  await sendAll(t, "--datadog", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const spans = await eventually("payloads", async () => {
    const found = bodies.flatMap((body) => judgeTraces(body).flat());
    return found.length >= oldAgents.length ? found : undefined;
  });
  for (const { encoding, expected } of oldAgents) isSameInDatadog(t, spans, expected, encoding);
});

function isSameInDatadog(t: Test, spans: readonly DatadogSpan[], expected: Expected, encoding: string): void {
  const { traceId, startNs, endNs, attributes, event } = expected;
  const span = spans.find(({ meta }) => meta["_dd.p.tid"] === traceId.slice(0, 16));
  const ids = [traceId.slice(16), expected.spanId, expected.parentSpanId].map((id) => BigInt(`0x${id}`));
  t.same(
    [span?.trace_id, span?.span_id, span?.parent_id].map((id) => BigInt(id ?? 0)),
    ids,
    encoding,
  );
  t.same(
    [span?.start, span?.duration].map((time) => BigInt(time ?? 0)),
    [startNs, endNs - startNs],
  );
  t.match(span, { service: expected.service, resource: expected.name, error: 1 });
  const kind = ["", "internal", "server", "client"][expected.kind];
  t.match(span?.meta, { "span.kind": kind, "error.message": expected.message });
  for (const [key, value] of Object.entries(attributes))
    t.equal(
      typeof value === "string" ? span?.meta[key] : span?.metrics[key],
      typeof value === "bigint" ? Number(value) : value,
      key,
    );
  if (event !== undefined) t.match(span?.meta["events"], event.name);
}

function asTexts({ attributes }: Expected): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)]));
}
