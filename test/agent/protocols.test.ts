import { readFileSync } from "node:fs";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { allMethods } from "../../src/gen/methods.ts";
import { agentHandlers } from "../../src/service/handlers.ts";
import type { Rooms } from "../../src/service/rooms.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { eventually, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;

/** Clock, memory and swap are the machine's own, whatever namespaces there are: not even tried. */
const reachesTheMachine: ReadonlySet<string> = new Set([
  "SetGuestDateTime",
  "MemHotplugByProbe",
  "OnlineCPUMem",
  "AddSwap",
  "AddSwapPath",
]);

test("every method without an implementation answers UNIMPLEMENTED in both protocols", async (t) => {
  // Only the names count here: nothing is called.
  const implemented = agentHandlers({} as Rooms);
  const missing = allMethods.filter(
    (method) => !implemented.has(method) && !reachesTheMachine.has(method.name),
  );
  t.ok(implemented.size >= 17, "the calls of the foundation are there");
  for (const { client } of [await agent.connect(), await agent.connectGrpc()]) {
    for (const method of missing) {
      t.equal((await refusal(client.call(method, {}))).code, Code.unimplemented, method.path);
    }
    const unknown = { ...allMethods[0], name: "NoSuchCall", path: "grpc.AgentService/NoSuchCall" };
    t.equal((await refusal(client.call(unknown as (typeof allMethods)[0], {}))).code, Code.unimplemented);
  }
});

test("a gRPC client runs a whole container life on the same socket", async (t) => {
  const before = agent.traces();
  const grpc = await agent.connectGrpc();
  const id = agent.id("grpc");
  t.equal((await grpc.Check({})).status, 1);
  await grpc.CreateContainer({ container_id: id, OCI: specOf(agent.root, { args: ["cat"] }) });
  await grpc.StartContainer({ container_id: id });
  const data = Buffer.alloc(300_000, "grpc");
  const wait = grpc.WaitProcess({ container_id: id });
  const written = grpc
    .WriteStdin({ container_id: id, data })
    .then(() => grpc.CloseStdin({ container_id: id }));
  const parts: Uint8Array[] = [];
  for (;;) {
    const read = await grpc.ReadStdout({ container_id: id, len: 100_000 });
    if (read.data.length === 0) break;
    parts.push(read.data);
  }
  await written;
  t.ok(Buffer.concat(parts).equals(data));
  t.equal((await wait).status, 0);
  const seen = await refusal(calls.StatsContainer({ container_id: id }));
  t.equal(seen.code, 0, "one agent behind both protocols");
  const { code, message } = await refusal(
    grpc.ExecProcess({ container_id: id, exec_id: "e1", process: processOf({ args: ["true"] }) }),
  );
  t.equal(code, Code.internal);
  t.notMatch(message, /\n/);
  await grpc.RemoveContainer({ container_id: id });
  await grpc.client.close();
  await eventually(() => agent.traces().mounts.length === before.mounts.length);
  t.same(agent.traces().mounts, before.mounts);
  t.same(agent.traces().groups, before.groups);
});

test("a client that goes while it waits disturbs nobody and leaves no descriptor", async (t) => {
  const id = await agent.run("watched", { args: ["cat"] });
  await agent.connect().then(({ client }) => client.close());
  const { descriptors } = agent.traces();
  for (const connect of [() => agent.connect(), () => agent.connectGrpc()]) {
    const leaving = await connect();
    const wait = refusal(leaving.WaitProcess({ container_id: id }));
    const read = refusal(leaving.ReadStdout({ container_id: id, len: 10 }));
    await leaving.Check({});
    await leaving.client.close();
    await Promise.all([wait, read]);
  }
  t.ok(await eventually(() => agent.traces().descriptors.length <= descriptors.length));
  await calls.WriteStdin({ container_id: id, data: Buffer.from("still") });
  t.equal(await agent.readText(id, 5), "still");
  await calls.CloseStdin({ container_id: id });
  t.equal((await calls.WaitProcess({ container_id: id })).status, 0, "the exit is there for the next one");
  await calls.RemoveContainer({ container_id: id });
});

// agent-api 0.2
test("health is told while containers are being made and one stands still", async (t) => {
  const still = await agent.run("still", { args: ["sleep", "1000"] });
  await calls.SignalProcess({ container_id: still, exec_id: still, signal: 19 });
  const wait = calls.WaitProcess({ container_id: still });
  let making = true;
  let checks = 0;
  const made = Promise.all(
    Array.from({ length: 8 }, (_, index) => agent.run(`many${index}`, { args: ["sleep", "1000"] })),
  ).finally(() => {
    making = false;
  });
  while (making) {
    // Far below what any runtime allows: a check that queued behind a create would fail here.
    t.equal((await calls.Check({}, { timeoutMs: 60_000 })).status, 1);
    checks += 1;
  }
  const ids = await made;
  t.ok(checks > 0, `${checks} checks were answered while containers were being made`);
  await Promise.all(ids.map((id) => agent.remove(id)));
  await calls.SignalProcess({ container_id: still, exec_id: "", signal: 9 });
  t.equal((await wait).status, 137);
  await calls.RemoveContainer({ container_id: still });
});

// agent-api 10.1
test("no descriptor of the agent reaches a container", async (t) => {
  const script = 'for f in /proc/self/fd/*; do echo "$(readlink $f)"; done';
  const id = await agent.run("clean", { args: ["sh", "-c", script] });
  const targets = `${await agent.readAll(id)}`.split("\n").filter(Boolean);
  for (const target of targets) t.match(target, /^(pipe:|\/proc\/)/, target);
  await agent.remove(id);
  t.equal(readFileSync(`/proc/${agent.pid}/comm`, "utf8"), "kata-agent\n");
});
