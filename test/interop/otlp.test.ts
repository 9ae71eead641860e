/** The forwarder between programs of others: spans in by otel-cli, out through the OpenTelemetry Collector. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Test, test } from "tap";
import { freePort } from "../../scripts/loopback.ts";
import { parseOtlpLine } from "../../src/view/otlp-json.ts";
import type { SpanRecord } from "../../src/view/span-record.ts";
import { podTrace } from "../fakes/pod-trace.ts";
import { linesOf, post, runForwarder, temporaryFolder } from "../forwarder/running.ts";
import { backendPath, eventually } from "./backends/backend.ts";
import { collectorSkip, otelCliSkip, startCollector } from "./backends/collector.ts";

const run = promisify(execFile);

/** A forwarder that writes a file, and the spans in it once there are so many. */
async function fileForwarder(
  t: Test,
): Promise<{ url: string; spans: (count: number) => Promise<readonly SpanRecord[]> }> {
  const file = join(temporaryFolder(t), "spans.jsonl");
  const port = await freePort();
  await runForwarder(t, "--listen", `tcp://127.0.0.1:${port}`, "--file", file);
  return {
    url: `http://127.0.0.1:${port}`,
    spans: (count) =>
      eventually(`${count} spans in the file`, async () => {
        const spans = linesOf(file).flatMap((line) => parseOtlpLine(JSON.stringify(line)).spans);
        return spans.length >= count ? spans : undefined;
      }),
  };
}

test("a span of otel-cli arrives over OTLP/HTTP", { skip: otelCliSkip }, async (t) => {
  const forwarder = await fileForwarder(t);
  const span = ["--service", "cli", "--name", "by hand", "--attrs", "answer=42", "--tp-print"];
  const wire = ["--protocol", "http/protobuf", "--endpoint", forwarder.url];
  const { stdout } = await run(backendPath("otel-cli"), ["span", ...wire, ...span]);
  const [arrived] = await forwarder.spans(1);
  t.match(arrived, { name: "by hand", service: "cli" });
  t.equal(arrived?.attributes.get("answer"), 42n);
  t.match(stdout, arrived?.traceId ?? "no trace");
});

test("the Collector gets every span whole", { skip: collectorSkip }, async (t) => {
  const end = await fileForwarder(t);
  const collector = await startCollector(t, end.url);
  const socket = join(temporaryFolder(t), "guest.sock");
  await runForwarder(t, "--listen", `unix://${socket}`, "--otlp", collector.httpUrl);
  const sent = JSON.stringify(podTrace({ number: 7, checks: 20, failed: true }));
  t.match(await post(socket, sent, { "content-type": "application/json" }), { status: 200 });
  const expected = parseOtlpLine(sent).spans;
  const arrived = await end.spans(expected.length);
  const byId = (a: SpanRecord, b: SpanRecord) => a.spanId.localeCompare(b.spanId);
  t.strictSame([...arrived].sort(byId), [...expected].sort(byId));
});
