import { join } from "node:path";
import t from "tap";
import { datadogPayload } from "../../src/forwarder/out/datadog-payload.ts";
import { placedSpans } from "../../src/forwarder/out/placed-span.ts";
import { until } from "../fakes/until.ts";
import { post, runForwarder, temporaryFolder } from "../forwarder/running.ts";
import { tracedPod } from "../forwarder/traced-pod.ts";
import { datadogSkip, judgeSkip, judgeTraces, startDatadogAgent } from "./backends/datadog.ts";
import { startZipkin, zipkinSkip } from "./backends/zipkin.ts";

t.test(
  "Zipkin has every span with its ids, times, kind, tags and status",
  { skip: zipkinSkip },
  async (t) => {
    const zipkin = await startZipkin(t);
    const path = join(temporaryFolder(t), "s");
    await runForwarder(t, "-l", `unix://${path}`, "--zipkin", zipkin.url);
    const pod = tracedPod();
    t.equal((await post(path, pod.body)).status, 200);
    const spans = await zipkin.trace(pod.traceId, 2);
    const [call, step] = ["grpc.agentservice/createcontainer", "crun create"].map((name) =>
      spans.find((span) => span.name === name),
    );
    t.match(call, {
      traceId: pod.traceId,
      id: pod.callId,
      kind: "SERVER",
      timestamp: 1789000000123456,
      duration: 2000,
      localEndpoint: { serviceName: "kata-agent" },
      tags: {
        "rpc.method": "grpc.AgentService/CreateContainer",
        "kata.count": "9007199254740993",
        host: "h",
      },
    });
    t.match(step, {
      id: pod.stepId,
      parentId: pod.callId,
      duration: 1,
      tags: { "otel.status_code": "ERROR", error: "INTERNAL" },
      annotations: [{ timestamp: 1789000000124000, value: "retry" }],
    });
    t.equal(step?.kind, undefined, "internal has no word");
  },
);

t.test("Datadog's agent has every span by its native format", { skip: datadogSkip }, async (t) => {
  const agent = await startDatadogAgent(t);
  const path = join(temporaryFolder(t), "s");
  await runForwarder(t, "-l", `unix://${path}`, "--datadog", agent.url);
  const pod = tracedPod();
  await post(path, pod.body);
  const spans = await agent.spans(2);
  const [call, step] = ["grpc.AgentService/CreateContainer", "crun create"].map((name) =>
    spans.find((span) => span.resource === name),
  );
  t.match(call, { service: "kata-agent", name: "ttrpc.server", error: 0, duration: 2_000_000 });
  t.match(step, { error: 1, meta: { "error.message": "INTERNAL" } });
  t.equal(step?.parent_id, call?.span_id);
});

t.test("Datadog's own decoder takes what we send, to the last digit", { skip: judgeSkip }, async (t) => {
  const pod = tracedPod();
  const { body, traces } = datadogPayload(placedSpans(pod.body));
  t.equal(traces, 1);
  const [[call, step] = []] = judgeTraces(body);
  t.match(call, { service: "kata-agent", duration: 2_000_000 });
  t.match(step, { error: 1, metrics: { "kata.ratio": 0.5 } });
});

t.test("Datadog takes OTLP where its receiver is on", { skip: datadogSkip }, async (t) => {
  const agent = await startDatadogAgent(t);
  const path = join(temporaryFolder(t), "s");
  const forwarder = await runForwarder(t, "-l", `unix://${path}`, "-o", agent.otlpUrl);
  await post(path, tracedPod().body);
  const sent = /spans_sent_total\{[^}]*\} 2/;
  await until("both spans to be sent", async () => sent.test(await forwarder.metrics()));
  t.pass("acknowledged");
});
