import { copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { eventually, type RealAgent, startAgent } from "../fakes/real-agent.ts";
import { spawnForwarder, temporaryFolder } from "../forwarder/running.ts";

type Span = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
};
type Line = { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };

/** A program that was never told of Kata: it continues the trace of its environment and posts OTLP to a Unix socket. */
const program = `
const http = require("node:http");
const [, traceId, parentSpanId] = process.env.TRACEPARENT.split("-");
const spanId = require("node:crypto").randomBytes(8).toString("hex");
const now = BigInt(Date.now()) * 1000000n;
const span = { traceId, spanId, parentSpanId, name: "work of the program", kind: 1,
  startTimeUnixNano: String(now), endTimeUnixNano: String(now + 1000n) };
const resource = { attributes: [{ key: "service.name", value: { stringValue: "program" } }] };
const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: {}, spans: [span] }] }] });
const headers = { "content-type": "application/json" };
const request = http.request({ socketPath: "/dev/otlp.sock", path: "/v1/traces", method: "POST", headers });
request.on("response", (response) => {
  console.log(response.statusCode, process.env.TRACEPARENT, process.env.BAGGAGE ?? "-");
  response.resume();
});
request.end(body);
`;

function spansIn(file: string): Span[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => (JSON.parse(line) as Line).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

async function tracedAgent(t: Test, env: Record<string, string> = {}): Promise<[RealAgent, string]> {
  const folder = temporaryFolder(t);
  const file = join(folder, "spans.jsonl");
  await spawnForwarder(t, "--listen", `unix://${folder}/t.sock`, "--file", file);
  const agent = await startAgent({
    env: { KATA_AGENT_TRACING: "collated", KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock`, ...env },
  });
  t.teardown(() => agent[Symbol.asyncDispose]());
  await agent.calls.CreateSandbox({ sandbox_id: "workload" });
  return [agent, file];
}

const bound = (path: string) => ({ destination: path, source: path, type: "bind", options: ["rbind", "ro"] });

const caller = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const from = {
  metadata: [
    ["traceparent", `00-${caller.traceId}-${caller.spanId}-01`],
    ["baggage", "tenant=blue"],
  ],
} as const;

test("a Node program in a container continues the trace of its CreateContainer through the relay", async (t) => {
  const [agent, file] = await tracedAgent(t);
  const { calls, root } = agent;
  writeFileSync(join(root, "program.js"), program);
  mkdirSync(join(root, "opt"), { recursive: true });
  copyFileSync(realpathSync(process.execPath), join(root, "opt/node"));
  const spec = specOf(root, { args: ["/opt/node", "/program.js"] });
  const container_id = agent.id("program");
  await calls.CreateContainer(
    {
      container_id,
      OCI: {
        ...spec,
        Mounts: [...(spec.Mounts ?? []), ...["/lib", "/lib64", "/usr/lib"].map(bound)],
        Annotations: new Map([
          ["io.katacontainers.config.agent.trace_workload", "true"],
          ["io.katacontainers.config.agent.trace_relay", "true"],
        ]),
      },
    },
    from,
  );
  await calls.StartContainer({ container_id });
  const wait = calls.WaitProcess({ container_id });
  const said = (await agent.readAll(container_id)).toString();
  const complaints = (await agent.readAll(container_id, "", "Stderr")).toString();
  t.equal((await wait).status, 0, complaints);
  t.match(said, /^200 00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01 tenant=blue\n$/);
  t.ok(await eventually(() => spansIn(file).some(({ name }) => name === "work of the program")));
  const { metrics } = await calls.GetMetrics({});
  t.match(metrics, /kata_agent_relayed_requests_total\{result="delivered"\} 1/);
  await calls.RemoveContainer({ container_id });
  await calls.DestroySandbox({});
  await agent.ended;
  const spans = spansIn(file);
  const create = spans.find(({ name }) => name.endsWith("/CreateContainer"));
  const work = spans.find(({ name }) => name === "work of the program");
  t.equal(create?.parentSpanId, caller.spanId);
  t.equal(work?.traceId, create?.traceId);
  t.equal(work?.parentSpanId, create?.spanId);
});

test("processes of containers are told of their span only when it is asked for", async (t) => {
  const [agent] = await tracedAgent(t);
  const id = await agent.run("plain", { args: ["sh", "-c", "env; sleep 1000"] });
  await agent.exec(id, "one", { args: ["env"] });
  const said = (await agent.readAll(id, "one")).toString();
  t.notMatch(said, /TRACEPARENT|BAGGAGE/);
  t.notMatch(readFileSync(`/proc/${agent.pid}/environ`, "utf8"), /TRACEPARENT/);
  await agent.remove(id);
});

test("with agent.trace_workload each process gets the span of its own start, and keeps what it has", async (t) => {
  const [agent, file] = await tracedAgent(t, { KATA_AGENT_TRACE_WORKLOAD: "true" });
  const { calls } = agent;
  const id = await agent.run("told", { args: ["sh", "-c", "env; exec sleep 1000"] });
  const tell = async (exec_id: string, env: string[]) => {
    await calls.ExecProcess({ container_id: id, exec_id, process: processOf({ args: ["env"], env }) });
    return (await agent.readAll(id, exec_id)).toString();
  };
  const told = /TRACEPARENT=00-([0-9a-f]{32})-([0-9a-f]{16})-01/.exec(await tell("one", []));
  t.ok(told, "an exec process");
  t.match(await tell("two", ["TRACEPARENT=my-own"]), /^TRACEPARENT=my-own$/m);
  await agent.remove(id);
  await calls.DestroySandbox({});
  await agent.ended;
  const exec = spansIn(file).find(({ spanId }) => spanId === told?.[2]);
  t.match(exec?.name, /ExecProcess$/);
  t.equal(exec?.traceId, told?.[1]);
});

test("hooks are told of the trace that they are run in", async (t) => {
  const [agent, file] = await tracedAgent(t);
  const { calls, folder } = agent;
  const hook = (name: string) => ({
    Path: "/bin/sh",
    Args: ["sh", "-c", `echo "$TRACEPARENT" > ${folder}/${name}`],
    Env: ["PATH=/bin"],
  });
  const container_id = agent.id("hooked");
  const Hooks = { Prestart: [hook("prestart")], Poststart: [hook("poststart")] };
  const spec = specOf(agent.root, { args: ["sh", "-c", "env"] });
  await calls.CreateContainer({ container_id, OCI: { ...spec, Hooks } });
  await calls.StartContainer({ container_id });
  const wait = calls.WaitProcess({ container_id });
  t.notMatch((await agent.readAll(container_id)).toString(), /TRACEPARENT/);
  await wait;
  await calls.RemoveContainer({ container_id });
  await calls.DestroySandbox({});
  const told = (name: string) => readFileSync(join(folder, name), "utf8").trim().split("-")[2];
  const [prestart, poststart] = [told("prestart"), told("poststart")];
  await agent.ended;
  const nameOf = (id: string | undefined) => spansIn(file).find(({ spanId }) => spanId === id)?.name;
  t.match(nameOf(prestart), /CreateContainer$/);
  t.equal(nameOf(poststart), "hook");
});
