import { readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { bootGuest, type Guest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { AgentServiceMethods, HealthMethods, TraceControlMethods } from "../../src/gen/methods.ts";
import { type ClientOf, clientOf } from "../../src/rpc/client.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { parseAddress } from "../../src/vsock/address.ts";
import { dial } from "../../src/vsock/dial.ts";
import { announced } from "../fakes/announced.ts";
import { Collector } from "../fakes/collector.ts";
import { until } from "../fakes/until.ts";
import { spawnForwarder, temporaryFolder } from "../forwarder/running.ts";

const skip = whyNoVm() ?? false;
const tracePort = 10240;
const manySpans = 10_000;
const append = "agent.trace=isolated";

type Calls = ClientOf<typeof AgentServiceMethods> &
  ClientOf<typeof HealthMethods> & { control: ClientOf<typeof TraceControlMethods> };

async function callsOf(t: Test, guest: Guest): Promise<Calls> {
  await guest.listening();
  const client = createTtrpcClient(await dial(parseAddress(guest.address(1024)), { timeoutMs: 60_000 }));
  t.teardown(() => client.close());
  const control = clientOf(client, TraceControlMethods);
  return { ...clientOf(client, AgentServiceMethods), ...clientOf(client, HealthMethods), control };
}

/** Ends the sandbox and tells how long the guest took to switch itself off after its answer. */
async function endTimed(t: Test, guest: Guest, calls: Calls, what: string): Promise<void> {
  await calls.DestroySandbox({});
  const startMs = performance.now();
  t.match(await guest.exited, { code: 0, signal: null });
  const ms = Math.round(performance.now() - startMs);
  t.comment(`${what}: ${ms} ms from the answer of DestroySandbox to the end of QEMU`);
  t.match(guest.console(), /shutdown complete[\s\S]*Power down/);
}

t.test(`${manySpans} spans that wait are out when the guest ends`, { skip }, async (t) => {
  await using guest = await bootGuest({ append });
  const collector = new Collector();
  const { answer } = collector;
  const held: (() => void)[] = [];
  collector.answer = (...args) => void held.push(() => answer(...args));
  await collector.listen(guest.listenPath(tracePort));
  t.teardown(() => collector.close());
  const calls = await callsOf(t, guest);
  for (let sent = 0; sent < manySpans; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => calls.Check({})));
  collector.answer = answer;
  for (const go of held) go();
  await endTimed(t, guest, calls, "a receiver that takes all");
  const [, told] = /"sent":(\d+)[^\n]*all spans delivered/.exec(guest.console()) ?? [];
  t.ok(Number(told) > manySpans, `${told} spans`);
});

t.test("a receiver that never answers holds the end up by the flush limit only", { skip }, async (t) => {
  await using guest = await bootGuest({ append: `${append} agent.trace_flush_timeout=1` });
  const collector = new Collector();
  collector.answer = () => {};
  await collector.listen(guest.listenPath(tracePort));
  t.teardown(() => collector.close());
  const calls = await callsOf(t, guest);
  for (let n = 0; n < 100; n++) await calls.Check({});
  await endTimed(t, guest, calls, "a receiver that stalls");
  t.match(guest.console(), /"shutdown":\d+[^\n]*spans lost at the end/);
});

t.test("a guest that is killed leaves a connected trace", { skip }, async (t) => {
  await using guest = await bootGuest({ append });
  const folder = temporaryFolder(t);
  const file = join(folder, "spans.jsonl");
  const listen = ["--listen", `unix://${guest.listenPath(tracePort)}`];
  const admin = ["--admin", `unix://${folder}/admin.sock`];
  const forwarder = await spawnForwarder(t, ...listen, ...admin, "--file", file);
  const calls = await callsOf(t, guest);
  await calls.CreateSandbox({ sandbox_id: "killed" });
  calls.GetOOMEvent({}).catch(() => {});
  await calls.Check({});
  const written = (name: string) => readFileSync(file, "utf8").includes(`"name":"${name}"`);
  await until("the span of the check", () => written("grpc.Health/Check"));
  await announced(calls.control, forwarder);
  await guest.kill();
  await until("the closed spans", () => written("sandbox"));
  const spans = readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => JSON.parse(line).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }: { spans: object[] }) => spans));
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const tops = spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
  t.same(
    tops.map(({ name }) => name),
    ["sandbox"],
  );
  t.ok(spans.some(({ name }) => name === "grpc.Health/Check"));
  const open = spans.filter((span) => JSON.stringify(span).includes('"kata.incomplete"'));
  const asked = "kata.trace.v1.TraceControl/Status";
  t.same(
    open
      .map(({ name }) => name)
      .filter((name) => name !== asked)
      .sort(),
    ["grpc.AgentService/GetOOMEvent", "sandbox"],
  );
});
