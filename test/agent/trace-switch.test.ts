import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { TraceControlMethods } from "../../src/gen/methods.ts";
import { type ClientOf, clientOf } from "../../src/rpc/client.ts";
import { attributesOf, Collector, decodeRequest, type OtlpSpan } from "../fakes/collector.ts";
import { specOf } from "../fakes/container-spec.ts";
import { impatience, type Methods, type RealAgent, refusal, startAgent } from "../fakes/real-agent.ts";

type Both = { calls: Methods; control: ClientOf<typeof TraceControlMethods> };

async function collectorAt(t: Test, path: string): Promise<Collector> {
  const collector = new Collector();
  await collector.listen(path);
  t.teardown(() => collector.close());
  return collector;
}

/** An agent that does not trace yet, and the receiver that it would send to. */
async function untraced(
  t: Test,
  env: Record<string, string> = {},
  more: { ordinary?: boolean } = {},
): Promise<{ folder: string; collector: Collector; agent: RealAgent }> {
  const folder = mkdtempSync(join(tmpdir(), "trace-switch-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const collector = await collectorAt(t, join(folder, "t.sock"));
  const address = { KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock` };
  const agent = await startAgent({ env: { ...address, ...env }, ...more });
  t.teardown(() => agent[Symbol.asyncDispose]());
  return { folder, collector, agent };
}

async function over(agent: RealAgent, protocol: "ttrpc" | "grpc"): Promise<Both> {
  const connection = protocol === "ttrpc" ? await agent.connect() : await agent.connectGrpc();
  return { calls: connection, control: clientOf(connection.client, TraceControlMethods) };
}

const names = (spans: readonly OtlpSpan[]) => spans.map(({ name }) => name);

/** Every span has its parent in the same set, and there is one root. */
function isOneTrace(t: Test, spans: readonly OtlpSpan[]): OtlpSpan {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
  t.equal(roots.length, 1, `roots: ${names(roots)}`);
  t.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  return roots[0] as OtlpSpan;
}

for (const protocol of ["ttrpc", "grpc"] as const) {
  test(`${protocol}: StartTracing and StopTracing keep the rules of 1.x (wire-and-tracing 5)`, async (t) => {
    const { collector, agent } = await untraced(t);
    const { calls } = await over(agent, protocol);
    t.match(await refusal(calls.StopTracing({})), {
      code: Code.failedPrecondition,
      message: "tracing not enabled",
    });
    for (let interval = 1; interval <= 2; interval++) {
      const before = collector.spans.length;
      await calls.StartTracing({});
      t.match(await refusal(calls.StartTracing({})), {
        code: Code.failedPrecondition,
        message: "tracing already enabled",
      });
      await calls.Check({});
      await calls.StopTracing({});
      await collector.until(
        () => collector.spans.length > before && names(collector.spans).at(-1) === "interval",
      );
      const spans = collector.spans.slice(before);
      const root = isOneTrace(t, spans);
      t.equal(root.name, "interval");
      t.same(names(spans).sort(), ["grpc.AgentService/StopTracing", "grpc.Health/Check", "interval"]);
    }
    await calls.Check({});
    await agent.calls.DestroySandbox({});
    await agent.ended;
    t.equal(collector.spans.length, 6, "nothing after the stop");
  });

  test(`${protocol}: our own service tells, starts, changes, flushes and stops`, async (t) => {
    const { folder, collector, agent } = await untraced(t, { KATA_AGENT_TRACE_LEVEL: "debug" });
    const { calls, control } = await over(agent, protocol);
    t.match(await control.Status({}), { on: false, level: "debug", sampling_per_million: 1e6, trace_id: "" });
    t.match(await refusal(control.Stop({})), { code: Code.failedPrecondition });
    t.match(await control.Start({ type: "collated" }), { on: true, type: "collated" });
    t.match(await refusal(control.Start({})), { code: Code.failedPrecondition });
    await calls.Check({});
    await calls.GetGuestDetails({});
    t.match(await control.Flush({ timeout_ms: 60_000 }), { pending: 0n });
    t.ok(names(collector.spans).includes("grpc.AgentService/GetGuestDetails"));
    t.notOk(names(collector.spans).includes("grpc.Health/Check"), "health only at the most detailed level");
    const second = await collectorAt(t, join(folder, "second.sock"));
    t.match(
      await control.Configure({ level: "trace", rules: "Get*:off", address: `unix://${folder}/second.sock` }),
      { level: "trace", rules: "Get*:off", address: `unix://${folder}/second.sock` },
    );
    await calls.Check({});
    await calls.GetGuestDetails({});
    const { trace_id } = await control.Status({});
    const ended = await control.Stop({});
    t.match(ended, { on: false, pending: 0n, open: 0n, trace_id });
    t.ok(names(second.spans).includes("grpc.Health/Check"));
    t.notOk(names(second.spans).includes("grpc.AgentService/GetGuestDetails"));
    const root = isOneTrace(t, [...collector.spans, ...second.spans]);
    t.match(root, { name: "interval", traceId: trace_id });
    for (const bad of [
      { level: "loud" },
      { sampling_per_million: 2e6 },
      { rules: "x" },
      { address: "pigeon" },
    ])
      t.equal((await refusal(control.Configure(bad))).code, Code.invalidArgument, JSON.stringify(bad));
  });
}

test("a type that is none is refused, and a flush that nobody acknowledges ends with its time", async (t) => {
  const { agent } = await untraced(t, {
    ...impatience,
    KATA_AGENT_TRACE_ADDR: "unix:///nobody/listens.sock",
  });
  const { calls, control } = await over(agent, "ttrpc");
  t.equal((await refusal(control.Start({ type: "odd" }))).code, Code.invalidArgument);
  t.match(await control.Status({}), { on: false });
  await control.Start({});
  await calls.GetGuestDetails({});
  t.equal((await refusal(control.Flush({ timeout_ms: 50 }))).code, Code.deadlineExceeded);
});

test("while an end is under way a second one is refused, and a start follows it", async (t) => {
  const { collector, agent } = await untraced(t, impatience);
  const { calls, control } = await over(agent, "ttrpc");
  await calls.StartTracing({});
  const { answer } = collector;
  const asked = Promise.withResolvers<void>();
  collector.answer = () => asked.resolve();
  await calls.StopTracing({});
  await asked.promise;
  t.match(await refusal(calls.StopTracing({})), {
    code: Code.failedPrecondition,
    message: "tracing already disabled",
  });
  collector.answer = answer;
  await calls.StartTracing({});
  t.match(await control.Status({}), { on: true });
});

test("a snapshot of a sandbox that runs is one trace, and calls under way are undisturbed", async (t) => {
  const { collector, agent } = await untraced(t);
  const { calls } = agent;
  await calls.CreateSandbox({ sandbox_id: "long" });
  const id = await agent.run("long", { args: ["cat"] });
  const old = calls.WaitProcess({ container_id: id });
  const { control } = await over(agent, "ttrpc");
  let answered = 0;
  let running = true;
  const steady = (async () => {
    while (running) {
      await calls.Check({});
      answered++;
    }
  })();
  await control.Start({});
  const parked = calls.ReadStdout({ container_id: id, len: 10 });
  await calls.StatsContainer({ container_id: id });
  await control.Stop({});
  running = false;
  await steady;
  t.ok(answered > 0);
  const root = isOneTrace(t, collector.spans);
  t.equal(attributesOf(root)["kata.sandbox.id"], "long");
  const read = collector.spans.find(({ name }) => name.endsWith("/ReadStdout"));
  t.equal(attributesOf(read ?? {})["kata.incomplete"], true, "what was open ends with the interval");
  await calls.WriteStdin({ container_id: id, data: Buffer.from("hello") });
  t.equal(Buffer.from((await parked).data).toString(), "hello");
  await calls.SignalProcess({ container_id: id, signal: 9 });
  await old;
});

test("mode dynamic waits for a call, also when tracing is on by the options", async (t) => {
  const { collector, agent } = await untraced(t, {
    KATA_AGENT_TRACING: "true",
    KATA_AGENT_TRACE_MODE: "dynamic",
  });
  const { calls, control } = await over(agent, "ttrpc");
  await calls.Check({});
  t.equal((await control.Status({})).on, false);
  await control.Start({});
  await control.Stop({});
  t.notOk(names(collector.spans).includes("grpc.Health/Check"));
});

test("StartTracing on top of a static trace ends that one as a whole", async (t) => {
  const { collector, agent } = await untraced(t, { KATA_AGENT_TRACING: "true" });
  const { calls } = await over(agent, "ttrpc");
  await calls.Check({});
  await calls.StartTracing({});
  isOneTrace(t, collector.spans);
  t.ok(names(collector.spans).includes("sandbox"));
  const before = collector.spans.length;
  await calls.Check({});
  await agent.calls.DestroySandbox({});
  await agent.ended;
  t.equal(isOneTrace(t, collector.spans.slice(before)).name, "interval");
});

for (const [how, env, annotation, expected] of [
  ["on", {}, ["io.katacontainers.config.agent.trace", "collated"], true],
  ["on, as the runtime spells it", {}, ["io.katacontainers.config.agent.enable_tracing", "true"], true],
  ["off", { KATA_AGENT_TRACING: "true" }, ["io.katacontainers.config.agent.trace", "off?"], true],
  ["off", { KATA_AGENT_TRACING: "true" }, ["io.katacontainers.config.agent.trace", "disabled"], false],
] as const)
  test(`an annotation of the sandbox's first container turns tracing ${how}: ${annotation[1]}`, async (t) => {
    const { collector, agent } = await untraced(t, env);
    await agent.calls.CreateSandbox({ sandbox_id: "noted" });
    const spec = specOf(agent.root, { args: ["true"] });
    const id = agent.id("noted");
    await agent.calls.CreateContainer({
      container_id: id,
      OCI: { ...spec, Annotations: new Map([annotation]) },
    });
    await agent.calls.RemoveContainer({ container_id: id });
    const { control } = await over(agent, "ttrpc");
    t.equal((await control.Status({})).on, expected);
    await agent.calls.DestroySandbox({});
    await agent.ended;
    t.equal(names(collector.spans).includes("grpc.AgentService/CreateContainer"), expected);
  });

test("the standard variables count for an ordinary process", async (t) => {
  const { collector, agent } = await untraced(
    t,
    {
      KATA_AGENT_TRACING: "true",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,team=a%20b",
      OTEL_SERVICE_NAME: "my-agent",
      OTEL_TRACES_SAMPLER: "parentbased_always_off",
    },
    { ordinary: true },
  );
  await agent.calls.Check({});
  const id = "0af7651916cd43dd8448eb211c80319c";
  await agent.calls.Check({}, { metadata: [["traceparent", `00-${id}-b7ad6b7169203331-01`]] });
  const { control } = await over(agent, "ttrpc");
  await control.Flush({ timeout_ms: 60_000 });
  t.equal(names(collector.spans).filter((name) => name.endsWith("/Check")).length, 1, "as the caller says");
  const [body] = collector.bodies;
  const resource = decodeRequest(body as Buffer).resourceSpans[0]?.resource;
  t.match(attributesOf(resource ?? {}), {
    "service.name": "my-agent",
    "deployment.environment.name": "test",
    team: "a b",
  });
});

test("spans leave at once when the last container goes", async (t) => {
  const { collector, agent } = await untraced(t, { KATA_AGENT_TRACING: "true" });
  const id = await agent.run("last", { args: ["true"] });
  await agent.calls.WaitProcess({ container_id: id });
  const { control } = await over(agent, "ttrpc");
  await control.Flush({ timeout_ms: 60_000 });
  await agent.calls.RemoveContainer({ container_id: id });
  const startMs = performance.now();
  await collector.until(() => names(collector.spans).includes("grpc.AgentService/RemoveContainer"));
  t.comment(`after ${Math.round(performance.now() - startMs)} ms`);
});
