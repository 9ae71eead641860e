import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { attributesOf, Collector, type OtlpSpan } from "../fakes/collector.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { needsEngine, policyWith } from "../fakes/policies.ts";
import { type RealAgent, refusal, startAgent } from "../fakes/real-agent.ts";

/** A receiver and an agent that traces to it; both are gone after the test. */
async function traced(
  t: Test,
  mode: string,
  env: Record<string, string> = {},
): Promise<[Collector, RealAgent]> {
  const folder = mkdtempSync(join(tmpdir(), "real-trace-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const collector = new Collector();
  await collector.listen(join(folder, "t.sock"));
  t.teardown(() => collector.close());
  const agent = await startAgent({
    env: { KATA_AGENT_TRACING: mode, KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock`, ...env },
  });
  t.teardown(() => agent[Symbol.asyncDispose]());
  return [collector, agent];
}

type Caller = { readonly traceId: string; readonly spanId: string };
const caller = (): Caller => ({
  traceId: randomBytes(16).toString("hex"),
  spanId: randomBytes(8).toString("hex"),
});
const from = ({ traceId, spanId }: Caller) => ({
  metadata: [["traceparent", `00-${traceId}-${spanId}-01`]] as const,
});
const serverKind = 2;
const isCall = (span: OtlpSpan): boolean => span.kind === serverKind;

/** Ends the agent, so that every span has been sent. */
async function spansOf([collector, agent]: [Collector, RealAgent]): Promise<OtlpSpan[]> {
  await agent.calls.DestroySandbox({});
  await agent.ended;
  return collector.spans;
}

test("256 calls at once: each span has exactly its caller as parent, with its work below", async (t) => {
  const both = await traced(t, "collated");
  const [, agent] = both;
  const { calls } = agent;
  await calls.CreateSandbox({ sandbox_id: "many", hostname: "many" });
  const ids = await Promise.all([1, 2, 3, 4].map((n) => agent.run(`busy${n}`, { args: ["cat"] })));
  const sent = new Map<string, Caller & { name: string }>();
  const send = (name: string, call: (options: ReturnType<typeof from>) => Promise<unknown>) => {
    const from_ = caller();
    sent.set(from_.spanId, { ...from_, name });
    return call(from(from_)).catch(() => undefined);
  };
  const mixed = Array.from({ length: 256 }, (_, n) => {
    const container_id = ids[Math.floor(n / 8) % ids.length] ?? "";
    const exec_id = `run-${n}`;
    switch (n % 8) {
      case 0:
        return send("Health/Check", (o) => calls.Check({}, o));
      case 1:
        return send("AgentService/StatsContainer", (o) => calls.StatsContainer({ container_id }, o));
      case 2:
        return send("AgentService/WriteStdin", (o) =>
          calls.WriteStdin({ container_id, data: Buffer.from("0123456789") }, o),
        );
      case 3:
        return send("AgentService/ReadStdout", (o) => calls.ReadStdout({ container_id, len: 5 }, o));
      case 4:
        return n % 32 === 4
          ? send("AgentService/ExecProcess", (o) =>
              calls.ExecProcess({ container_id, exec_id, process: processOf({ args: ["true"] }) }, o),
            )
          : send("AgentService/GetGuestDetails", (o) => calls.GetGuestDetails({}, o));
      case 5:
        return send("AgentService/WaitProcess", (o) => calls.WaitProcess({ container_id, exec_id }, o));
      case 6:
        return send("AgentService/SignalProcess", (o) => calls.SignalProcess({ container_id, signal: 0 }, o));
      default:
        return send("AgentService/RemoveContainer", (o) =>
          calls.RemoveContainer({ container_id: "none" }, o),
        );
    }
  });
  await Promise.all(mixed);
  const spans = await spansOf(both);
  const byParent = Map.groupBy(spans, (span) => span.parentSpanId ?? "");
  let right = 0;
  for (const { traceId, spanId, name } of sent.values()) {
    const [span, ...others] = byParent.get(spanId) ?? [];
    if (others.length === 0 && span?.traceId === traceId && span.name === `grpc.${name}` && isCall(span))
      right += 1;
    else t.fail(`${name} has ${span?.name ?? "no span"}`);
  }
  t.equal(right, 256);
  const traces = new Set([...sent.values()].map(({ traceId }) => traceId));
  t.equal(traces.size, 256);
  for (const exec of spans.filter(
    ({ name, traceId }) => traces.has(traceId) && name.endsWith("/ExecProcess"),
  )) {
    const below = (byParent.get(exec.spanId) ?? []).map(({ name }) => name);
    t.ok(below.includes("crun exec"), `below ExecProcess: ${below}`);
  }
  const inner = spans.filter((span) => traces.has(span.traceId) && !isCall(span));
  for (const { name, traceId, parentSpanId } of inner) {
    const parent = spans.find(({ spanId }) => spanId === parentSpanId);
    t.equal(parent?.traceId, traceId, `${name} is in the trace of its caller`);
  }
});

test("isolated: one root, every call below it, inner steps below their call", async (t) => {
  const both = await traced(t, "isolated");
  const [, agent] = both;
  const someone = caller();
  await agent.calls.CreateSandbox({ sandbox_id: "alone", hostname: "alone" });
  await refusal(agent.calls.CreateSandbox({ sandbox_id: "another" }));
  const id = agent.id("one");
  await agent.calls.CreateContainer(
    { container_id: id, OCI: specOf(agent.root, { args: ["echo", "hi"] }) },
    from(someone),
  );
  await agent.calls.StartContainer({ container_id: id });
  const wait = agent.calls.WaitProcess({ container_id: id });
  await agent.readAll(id);
  await wait;
  await agent.exec(id, "late", { args: ["true"] }).catch(() => undefined);
  await agent.calls.RemoveContainer({ container_id: id });
  const spans = await spansOf(both);
  const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
  t.same(
    roots.map(({ name }) => name),
    ["sandbox"],
  );
  const [root] = roots as [OtlpSpan];
  t.same(new Set(spans.map(({ traceId }) => traceId)), new Set([root.traceId]), "from boot to end");
  t.equal(attributesOf(root)["kata.sandbox.id"], "alone");
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  for (const span of spans.filter(isCall)) t.equal(span.parentSpanId, root.spanId, span.name);
  for (const span of spans)
    t.ok(roots.includes(span) || byId.has(span.parentSpanId ?? ""), `${span.name} has its parent`);
  const parentName = (name: string) =>
    spans.filter((span) => span.name === name).map(({ parentSpanId }) => byId.get(parentSpanId ?? "")?.name);
  t.same(parentName("shutdown"), ["sandbox"]);
  t.same(parentName("bundle"), ["grpc.AgentService/CreateContainer"]);
  t.same(parentName("crun create"), ["grpc.AgentService/CreateContainer"]);
  t.same(parentName("init release"), ["grpc.AgentService/StartContainer"]);
  t.same(parentName("first output"), ["grpc.AgentService/StartContainer"]);
  t.same(parentName("wait"), ["grpc.AgentService/WaitProcess"]);
  t.same(parentName("container delete"), ["grpc.AgentService/RemoveContainer"]);
  t.same(parentName("pod namespaces"), ["grpc.AgentService/CreateSandbox"]);
  t.equal(parentName("listen")[0], root.name, "boot steps hang below the root");
  const create = spans.find(({ name }) => name.endsWith("/CreateContainer"));
  t.equal(create?.links?.[0]?.spanId, someone.spanId, "the caller is a link");
  const failed = spans.find(({ name }) => name.endsWith("/ExecProcess"));
  t.equal(attributesOf(failed as OtlpSpan)["error.type"], "INTERNAL");
});

// agent-api 10.3
test("no secret of a request is in spans, log lines or error texts", async (t) => {
  const both = await traced(t, "collated", { KATA_AGENT_LOG_LEVEL: "trace" });
  const [collector, agent] = both;
  const { calls } = agent;
  const canary = `canary${randomBytes(6).toString("hex")}`;
  const texts: string[] = [];
  const note = async (call: Promise<unknown>) => texts.push((await refusal(call)).message);
  const spec = specOf(agent.root, { args: ["sh", "-c", `cat; : ${canary}`], env: [`TOKEN=${canary}`] });
  await calls.CreateSandbox({ sandbox_id: "secrets", dns: [`search ${canary}.example`] });
  const container_id = agent.id("secret");
  await calls.CreateContainer({ container_id, OCI: { ...spec, Annotations: new Map([["note", canary]]) } });
  await calls.StartContainer({ container_id });
  await calls.WriteStdin({ container_id, data: Buffer.from(canary) });
  await calls.ReadStdout({ container_id, len: 100 });
  await calls.CopyFile({
    path: "/run/kata-containers/shared/containers/file",
    file_mode: 0o100600,
    file_size: BigInt(canary.length),
    data: Buffer.from(canary),
  });
  await note(
    calls.ExecProcess({
      container_id,
      exec_id: "e1",
      process: processOf({ args: ["no-such", canary], env: [`A=${canary}`] }),
    }),
  );
  await note(
    calls.ExecProcess({ container_id, exec_id: "e2", process: processOf({ args: ["true"], env: [canary] }) }),
  );
  // The answer has to name the missing program; spans and log lines must not.
  await refusal(
    calls.ExecProcess({ container_id, exec_id: "e3", process: processOf({ args: [`./${canary}`] }) }),
  );
  await refusal(calls.ExecProcess({ container_id, exec_id: "e4", process: processOf({ args: [canary] }) }));
  await note(
    calls.CreateContainer({ container_id: agent.id("bad"), OCI: { ...spec, Root: { Path: "/nowhere" } } }),
  );
  await note(calls.CreateContainer({ container_id: `${canary}/x`, OCI: spec }));
  await note(calls.CopyFile({ path: `/${canary}`, file_mode: 0o100600, data: Buffer.from(canary) }));
  await note(calls.WaitProcess({ container_id, exec_id: `${canary}/x` }));
  await spansOf(both);
  for (const [index, text] of texts.entries()) t.notOk(text.includes(canary), `error text ${index}: ${text}`);
  t.notOk(agent.output.includes(canary), "log lines");
  const bodies = collector.bodies.map((body) => body.toString("latin1"));
  t.notOk(
    bodies.some((body) => body.includes(canary)),
    "spans",
  );
  t.ok(bodies.some((body) => body.includes("crun create")));
});

test("nobody listens for spans: calls are undisturbed and the end comes in time", async (t) => {
  await using agent = await startAgent({
    env: { KATA_AGENT_TRACING: "isolated", KATA_AGENT_TRACE_ADDR: "unix:///nowhere/t.sock" },
  });
  const id = await agent.run("untraced", { args: ["echo", "fine"] });
  t.equal(`${await agent.readAll(id)}`, "fine\n");
  await agent.remove(id);
  await Promise.all(Array.from({ length: 3000 }, () => agent.calls.Check({})));
  await agent.calls.DestroySandbox({});
  t.same(await agent.ended, { code: 0, signal: null });
  const warnings = agent.logLines.filter(({ level }) => level === "WARN");
  t.ok(warnings.length >= 1 && warnings.length <= 3, `${warnings.map(({ msg }) => msg)}`);
  t.equal(agent.logLines.at(-1)?.msg, "shutdown complete");
});

test(
  "a denied call: its span holds the policy's, and nothing that the policy printed",
  needsEngine,
  async (t) => {
    const both = await traced(t, "isolated");
    const { calls } = both[1];
    const rule = 'CreateSandboxRequest if { print("CANARY"); input.hostname == "x" }';
    await calls.SetPolicy({ policy: policyWith("default CreateSandboxRequest := false", rule) });
    const denied = await refusal(calls.CreateSandbox({ hostname: "CANARY" }));
    t.match(denied.message, /CANARY/);
    const spans = await spansOf(both);
    const call = spans.find((span) => span.name.endsWith("CreateSandbox"));
    const check = spans.find((span) => span.name === "policy" && span.parentSpanId === call?.spanId);
    for (const span of [call, check]) {
      t.equal(attributesOf(span ?? {})["error.type"], "PERMISSION_DENIED");
    }
    t.notMatch(JSON.stringify(spans), /CANARY/);
  },
);
