import { randomBytes, randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import type { CallOptions, Client } from "../../src/rpc/client.ts";
import { attributesOf, Collector, type OtlpSpan } from "../fakes/collector.ts";
import { processOf } from "../fakes/container-spec.ts";
import { type Methods, needsRoot, startAgent } from "../fakes/real-agent.ts";

const rounds = 20;
const callsAtOnce = 256;
const serverKind = 2;

type Sent = { readonly name: string; readonly traceId: string; readonly spanId: string };

/** Everything that was asked of the agent, with the caller's span of each, or without one. */
class Traffic {
  readonly sent: Sent[] = [];
  /** How many calls of each name had no caller's span. */
  readonly bare = new Map<string, number>();
  readonly outcomes = new Map<string, number>();

  /** Makes one call after a random while; two of three tell a caller. Its failure is part of the game. */
  async call(
    name: string,
    make: (options: CallOptions) => Promise<unknown>,
    limitMs?: number,
  ): Promise<void> {
    await pause(randomInt(30));
    return this.callNow(name, make, limitMs);
  }

  async callNow(
    name: string,
    make: (options: CallOptions) => Promise<unknown>,
    limitMs?: number,
  ): Promise<void> {
    const limit = limitMs === undefined ? {} : { timeoutMs: limitMs };
    const outcome = await make({ ...limit, ...this.#caller(name) }).then(
      () => "OK",
      (error: unknown) => (error instanceof AgentError ? `${error.code}` : String(error)),
    );
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #caller(name: string): CallOptions {
    if (randomInt(3) === 0) {
      this.bare.set(name, (this.bare.get(name) ?? 0) + 1);
      return {};
    }
    const traceId = randomBytes(16).toString("hex");
    const spanId = randomBytes(8).toString("hex");
    this.sent.push({ name, traceId, spanId });
    return { metadata: [["traceparent", `00-${traceId}-${spanId}-01`]] };
  }
}

/** The n-th of the calls of a round: some work, some fail, some are given up, some leave work behind. */
function mixed(
  traffic: Traffic,
  calls: Methods,
  ids: readonly string[],
  round: number,
  n: number,
): Promise<void> {
  const container_id = ids[n % ids.length] ?? "";
  const exec_id = `r${round}n${n}`;
  const agent = (name: string) => `grpc.AgentService/${name}`;
  switch (n % 12) {
    case 0:
      return traffic.call("grpc.Health/Check", (o) => calls.Check({}, o));
    case 1:
      return traffic.call("grpc.Health/Version", (o) => calls.Version({}, o));
    case 2:
      return traffic.call(agent("GetGuestDetails"), (o) => calls.GetGuestDetails({}, o));
    case 3:
      return traffic.call(agent("StatsContainer"), (o) => calls.StatsContainer({ container_id }, o));
    case 4:
      return traffic.call(agent("StatsContainer"), (o) => calls.StatsContainer({ container_id: "none" }, o));
    case 5:
      return traffic.call(
        agent("WaitProcess"),
        (o) => calls.WaitProcess({ container_id }, o),
        1 + randomInt(40),
      );
    case 6:
      return traffic.call(
        agent("ReadStdout"),
        (o) => calls.ReadStdout({ container_id, len: 8 }, o),
        1 + randomInt(40),
      );
    case 7:
      return traffic.call(agent("WriteStdin"), (o) =>
        calls.WriteStdin({ container_id, data: Buffer.from("x") }, o),
      );
    case 8:
      return traffic.call(agent("SignalProcess"), (o) =>
        calls.SignalProcess({ container_id, exec_id: "", signal: 0 }, o),
      );
    case 9:
      return traffic.call(agent("RemoveContainer"), (o) =>
        calls.RemoveContainer({ container_id: "none" }, o),
      );
    case 10:
      return n === 10
        ? execution(traffic, calls, container_id, exec_id)
        : traffic.call(agent("ListInterfaces"), (o) => calls.ListInterfaces({}, o));
    default:
      return traffic.call(agent("CopyFile"), (o) =>
        calls.CopyFile({ path: "/nowhere", data: Buffer.from("x") }, o),
      );
  }
}

async function execution(
  traffic: Traffic,
  calls: Methods,
  container_id: string,
  exec_id: string,
): Promise<void> {
  const process = processOf({ args: ["true"] });
  await traffic.call("grpc.AgentService/ExecProcess", (o) =>
    calls.ExecProcess({ container_id, exec_id, process }, o),
  );
  await traffic.call("grpc.AgentService/WaitProcess", (o) => calls.WaitProcess({ container_id, exec_id }, o));
}

/** Callers that hang up with their calls open. */
async function hangUp(
  traffic: Traffic,
  { client, ...calls }: Methods & { client: Client },
  container_id: string,
): Promise<void> {
  const open = Array.from({ length: 8 }, () =>
    traffic.callNow("grpc.AgentService/WaitProcess", (o) => calls.WaitProcess({ container_id }, o)),
  );
  // What was sent before it on this connection has arrived when it is answered.
  await calls.Check({});
  traffic.bare.set("grpc.Health/Check", (traffic.bare.get("grpc.Health/Check") ?? 0) + 1);
  await client.close();
  await Promise.all(open);
}

test(
  `${callsAtOnce} calls at once, ${rounds} times: no wrong parent, no orphan, none open at the end, none lost`,
  needsRoot,
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "trace-tree-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const collector = new Collector();
    collector.speaksKata = true;
    await collector.listen(join(folder, "t.sock"));
    t.teardown(() => collector.close());
    const agent = await startAgent({
      env: { KATA_AGENT_TRACING: "collated", KATA_AGENT_TRACE_ADDR: `unix://${folder}/t.sock` },
    });
    t.teardown(() => agent[Symbol.asyncDispose]());
    await agent.calls.CreateSandbox({ sandbox_id: "tree" });
    const ids = await Promise.all([1, 2, 3, 4].map((n) => agent.run(`busy${n}`, { args: ["cat"] })));
    const traffic = new Traffic();
    const connections = [agent.calls, await agent.connect(), await agent.connectGrpc()];
    const leaver = (round: number) => (round % 2 === 0 ? agent.connect() : agent.connectGrpc());
    for (let round = 0; round < rounds; round++) {
      const all = Array.from({ length: callsAtOnce - 8 }, (_, n) =>
        mixed(traffic, connections[n % connections.length] as Methods, ids, round, n),
      );
      await Promise.all([...all, hangUp(traffic, await leaver(round), ids[0] ?? "")]);
    }
    for (const id of ids) await agent.remove(id);
    await agent.calls.DestroySandbox({});
    await agent.ended;
    t.comment(`outcomes: ${[...traffic.outcomes].map(([code, count]) => `${code} ${count}`).join(", ")}`);

    const { spans } = collector;
    const told = agent.logLines.find(({ msg }) => msg === "all spans delivered");
    t.equal(told?.["sent"], spans.length, "none is lost, none comes twice");
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    t.equal(byId.size, spans.length);
    const callers = new Map(traffic.sent.map((each) => [each.spanId, each]));
    const root = spans.find(({ name }) => name === "sandbox") as OtlpSpan;

    const faults: string[] = [];
    const served = new Map<string, number>();
    const bare = new Map<string, number>();
    for (const span of spans) {
      const { name, parentSpanId = "", traceId } = span;
      const caller = callers.get(parentSpanId);
      const parent = byId.get(parentSpanId);
      if (attributesOf(span)["kata.incomplete"] !== undefined) faults.push(`${name} was open at the end`);
      if (caller !== undefined) {
        served.set(parentSpanId, (served.get(parentSpanId) ?? 0) + 1);
        if (caller.name !== name || caller.traceId !== traceId) faults.push(`${name} below ${caller.name}`);
      } else if (span !== root && parent?.traceId !== traceId) faults.push(`${name} is an orphan`);
      else if (span.kind === serverKind) {
        bare.set(name, (bare.get(name) ?? 0) + 1);
        if (parent !== root) faults.push(`${name} without a caller hangs below ${parent?.name}`);
      }
    }
    for (const { spanId, name } of traffic.sent)
      if (served.get(spanId) !== 1) faults.push(`${name} has ${served.get(spanId) ?? 0} spans`);
    for (const [name, count] of traffic.bare)
      if ((bare.get(name) ?? 0) < count)
        faults.push(`${name}: ${bare.get(name)} of ${count} spans below the root`);
    t.same(faults.slice(0, 20), []);
    t.equal(
      traffic.sent.length + [...traffic.bare.values()].reduce((a, b) => a + b, 0) >= rounds * callsAtOnce,
      true,
    );
    const exec = spans.filter(({ name }) => name.endsWith("/ExecProcess"));
    t.equal(exec.length, rounds);
    for (const { spanId } of exec)
      t.ok(spans.some((span) => span.name === "crun exec" && span.parentSpanId === spanId));
  },
);
