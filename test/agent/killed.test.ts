import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { TraceControlMethods } from "../../src/gen/methods.ts";
import { type ClientOf, clientOf } from "../../src/rpc/client.ts";
import { announced } from "../fakes/announced.ts";
import { type Methods, type RealAgent, startAgent } from "../fakes/real-agent.ts";
import { until } from "../fakes/until.ts";
import { type Running, spawnForwarder, temporaryFolder } from "../forwarder/running.ts";

type Attribute = { key: string; value: { boolValue?: boolean; stringValue?: string } };
type Span = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status?: { code?: number };
  attributes?: Attribute[];
};
type Line = { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };

function spansIn(file: string): Span[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => (JSON.parse(line) as Line).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

type Traced = {
  agent: RealAgent;
  calls: Methods;
  control: ClientOf<typeof TraceControlMethods>;
  forwarder: Running;
  file: string;
};

/** A traced agent, one connection to it, and the forwarder that writes its spans to `file`. */
async function traced(t: Test): Promise<Traced> {
  const folder = temporaryFolder(t);
  const [file, socket] = [join(folder, "spans.jsonl"), `unix://${folder}/t.sock`];
  const admin = `unix://${folder}/admin.sock`;
  const forwarder = await spawnForwarder(t, "--listen", socket, "--admin", admin, "--file", file);
  const agent = await startAgent({ env: { KATA_AGENT_TRACING: "isolated", KATA_AGENT_TRACE_ADDR: socket } });
  t.teardown(() => agent[Symbol.asyncDispose]());
  const calls = await agent.connect();
  return { agent, calls, control: clientOf(calls.client, TraceControlMethods), forwarder, file };
}

/** Waits until the forwarder has what has ended, and knows what is open. */
async function allTold({ control, forwarder, file }: Traced): Promise<void> {
  await until("the spans that ended", () =>
    spansIn(file).some(({ name }) => name.endsWith("/StartContainer")),
  );
  await announced(control, forwarder);
}

const isIncomplete = ({ attributes = [] }: Span) =>
  attributes.some(({ key, value }) => key === "kata.incomplete" && value.boolValue === true);

/** One root, and every other span has its parent in the file. */
function isConnected(t: Test, spans: readonly Span[]): void {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  t.equal(ids.size, spans.length, "no span comes twice");
  const tops = spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
  t.same(
    tops.map(({ name }) => name),
    ["sandbox"],
  );
}

test("an agent that is killed in the middle of a pod leaves a connected trace", async (t) => {
  const parts = await traced(t);
  const { agent, calls, file } = parts;
  await calls.CreateSandbox({ sandbox_id: "killed" });
  const id = await agent.run("parked", { args: ["cat"] });
  const open = [
    calls.WaitProcess({ container_id: id }),
    calls.ReadStdout({ container_id: id, len: 10 }),
    calls.GetOOMEvent({}),
  ];
  for (const each of open) each.catch(() => {});
  await allTold(parts);
  process.kill(agent.pid, "SIGKILL");
  await until("the closed spans", () => spansIn(file).some((span) => span.name === "sandbox"));
  const spans = spansIn(file);
  isConnected(t, spans);
  const closed = spans.filter(isIncomplete).map(({ name }) => name);
  for (const name of ["sandbox", "WaitProcess", "ReadStdout", "GetOOMEvent"])
    t.ok(
      closed.some((each) => each.endsWith(name)),
      `${name} was open: ${closed}`,
    );
  for (const span of spans.filter(isIncomplete)) {
    t.equal(span.status?.code, 2, span.name);
    t.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
  }
  t.ok(spans.some(({ name }) => name.endsWith("/StartContainer")));
});

test("an orderly end leaves nothing for the forwarder to close", async (t) => {
  const parts = await traced(t);
  const { agent, calls, forwarder, file } = parts;
  const id = await agent.run("short", { args: ["cat"] });
  const wait = calls.WaitProcess({ container_id: id }).catch(() => {});
  await allTold(parts);
  await agent.remove(id);
  await wait;
  await agent.calls.DestroySandbox({});
  await agent.ended;
  await forwarder.stop();
  const spans = spansIn(file);
  isConnected(t, spans);
  t.same(spans.filter(isIncomplete), []);
});
