import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Test, test } from "tap";
import { startAgent } from "../fakes/real-agent.ts";
import { spawnForwarder, temporaryFolder } from "../forwarder/running.ts";

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

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(50);
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
  const folder = temporaryFolder(t);
  const file = join(folder, "spans.jsonl");
  await spawnForwarder(t, "--listen", `unix://${folder}/t.sock`, "--file", file);
  const agent = await startAgent({
    env: { KATA_AGENT_TRACING: "isolated", KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock` },
  });
  t.teardown(() => agent[Symbol.asyncDispose]());
  await agent.calls.CreateSandbox({ sandbox_id: "killed" });
  const id = await agent.run("parked", { args: ["cat"] });
  const open = [
    agent.calls.WaitProcess({ container_id: id }),
    agent.calls.ReadStdout({ container_id: id, len: 10 }),
    agent.calls.GetOOMEvent({}),
  ];
  for (const each of open) each.catch(() => {});
  // Longer than it takes until a span is announced, and a batch sent.
  await pause(2500);
  process.kill(agent.pid, "SIGKILL");
  await until(() => spansIn(file).some((span) => span.name === "sandbox"));
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
  const folder = temporaryFolder(t);
  const file = join(folder, "spans.jsonl");
  const forwarder = await spawnForwarder(t, "--listen", `unix://${folder}/t.sock`, "--file", file);
  const agent = await startAgent({
    env: { KATA_AGENT_TRACING: "isolated", KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock` },
  });
  t.teardown(() => agent[Symbol.asyncDispose]());
  const id = await agent.run("short", { args: ["cat"] });
  const wait = agent.calls.WaitProcess({ container_id: id }).catch(() => {});
  await pause(1500);
  await agent.remove(id);
  await wait;
  await agent.calls.DestroySandbox({});
  await agent.ended;
  await forwarder.stop();
  const spans = spansIn(file);
  isConnected(t, spans);
  t.same(spans.filter(isIncomplete), []);
});
