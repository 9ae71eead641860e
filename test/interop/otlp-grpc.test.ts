/** OTLP over gRPC between programs of others: spans in by otel-cli, out through the OpenTelemetry Collector. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Test, test } from "tap";
import { freePort } from "../../scripts/loopback.ts";
import { parseOtlpLine } from "../../src/view/otlp-json.ts";
import type { SpanRecord } from "../../src/view/span-record.ts";
import { linesOf, post, runForwarder, temporaryFolder } from "../forwarder/running.ts";
import { tracedPod } from "../forwarder/traced-pod.ts";
import { backendPath, eventually } from "./backends/backend.ts";
import { collectorSkip, otelCliSkip, startCollector } from "./backends/collector.ts";

const run = promisify(execFile);

async function fileForwarder(
  t: Test,
): Promise<{ port: number; spans(count: number): Promise<readonly SpanRecord[]> }> {
  const file = join(temporaryFolder(t), "spans.jsonl");
  const port = await freePort();
  await runForwarder(t, "--listen", `tcp://127.0.0.1:${port}`, "--file", file);
  return {
    port,
    spans: (count) =>
      eventually(`${count} spans in the file`, async () => {
        const spans = linesOf(file).flatMap((line) => parseOtlpLine(JSON.stringify(line)).spans);
        return spans.length >= count ? spans : undefined;
      }),
  };
}

test("a span of otel-cli arrives over gRPC", { skip: otelCliSkip }, async (t) => {
  const { port, spans } = await fileForwarder(t);
  const wire = ["--protocol", "grpc", "--insecure", "--endpoint", `localhost:${port}`];
  await run(backendPath("otel-cli"), ["span", ...wire, "--service", "cli", "--name", "by gRPC"]);
  t.match(await spans(1), [{ name: "by gRPC", service: "cli" }]);
});

test("the Collector takes and sends by gRPC, and nothing is lost on the way", {
  skip: collectorSkip,
}, async (t) => {
  const end = await fileForwarder(t);
  const collector = await startCollector(t, `grpc://127.0.0.1:${end.port}`);
  const socket = join(temporaryFolder(t), "s");
  await runForwarder(t, "--listen", `unix://${socket}`, "--otlp-endpoint", collector.grpcUrl);
  const pod = tracedPod();
  t.equal((await post(socket, pod.body)).status, 200);
  const [call, step] = await end.spans(2);
  t.match(call, { traceId: pod.traceId, spanId: pod.callId, name: "grpc.AgentService/CreateContainer" });
  t.match(step, { spanId: pod.stepId, parentSpanId: pod.callId });
  t.equal(call?.attributes.get("kata.count"), 9_007_199_254_740_993n);
});
