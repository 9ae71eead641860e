import { test } from "tap";
import { Code } from "../../../src/base/code.ts";
import { AgentServiceMethods, HealthMethods } from "../../../src/gen/methods.ts";
import { Request, Response } from "../../../src/gen/ttrpc.ts";
import { clientOf } from "../../../src/rpc/client.ts";
import { createTtrpcClient } from "../../../src/rpc/ttrpc/client.ts";
import { dial } from "../../../src/vsock/dial.ts";
import { decodeMessage } from "../../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../../src/wire/protobuf-encode.ts";
import { FrameParser } from "../../../src/wire/ttrpc-frame.ts";
import { memoryStreamPair } from "../../fakes/memory-stream.ts";
import { frame } from "../../fakes/raw-peer.ts";
import { handlers, ttrpcServer } from "../../fakes/rpc-server.ts";

type Scope = Parameters<typeof ttrpcServer>[0];

async function served(t: Scope, serving = handlers()) {
  const { address, connections } = await ttrpcServer(t, serving);
  const client = createTtrpcClient(await dial(address, { timeoutMs: 60_000 }));
  t.teardown(() => client.close());
  return {
    client,
    connections,
    agent: clientOf(client, AgentServiceMethods),
    health: clientOf(client, HealthMethods),
  };
}

/** A client whose server is the test. */
function scripted() {
  const [ours, theirs] = memoryStreamPair();
  const requests: { id: number; request: Request }[] = [];
  const parser = new FrameParser({
    frame: (id, _type, bytes, from, to) =>
      void requests.push({ id, request: decodeMessage(Request, bytes, { from, to }) }),
    oversize: () => {},
  });
  theirs.start(
    (chunk) => parser.push(chunk),
    () => {},
  );
  const client = createTtrpcClient(ours);
  const answer = (id: number, response: Partial<Response>) =>
    theirs.write(frame(id, 2, encodeMessage(Response, response)));
  return { client, health: clientOf(client, HealthMethods), requests, answer, theirs };
}

test("messages go and come typed, large ones whole", async (t) => {
  const { agent, health } = await served(
    t,
    handlers({
      ReadStdout: async ({ len }) => ({ data: new Uint8Array(len).fill(5) }),
      WriteStdin: async ({ data }) => ({ len: data.filter((byte) => byte === 9).length }),
    }),
  );
  t.same(await health.Check({}), { status: 1 });
  t.same((await agent.ReadStdout({ len: 1_000_000 })).data, new Uint8Array(1_000_000).fill(5));
  t.same(await agent.WriteStdin({ data: new Uint8Array(1_000_000).fill(9) }), { len: 1_000_000 });
});

test("input written to a handler stays its own while more comes", async (t) => {
  const kept: Uint8Array[] = [];
  const WriteStdin = async ({ data }: { data: Uint8Array }) => {
    kept.push(data);
    return { len: data.length };
  };
  const { agent } = await served(t, handlers({ WriteStdin }));
  const sizes = [10, 5000, 100_000, 20_000, 3];
  await Promise.all(sizes.map((size, i) => agent.WriteStdin({ data: new Uint8Array(size).fill(i + 1) })));
  t.same(
    kept.map((data) => data.every((byte) => byte === data[0])),
    sizes.map(() => true),
  );
  t.same(kept.map((data) => data.length).sort(), [...sizes].sort());
});

test("an error of the server rejects with its code and text", async (t) => {
  const { agent } = await served(t);
  await t.rejects(agent.StartContainer({ container_id: "c1" }), {
    code: Code.unimplemented,
    message: "method StartContainer",
  });
});

test("ids are odd and rise, deadline and metadata are sent", async (t) => {
  const { health, requests, answer } = scripted();
  const calls = [
    health.Check(
      { service: "a" },
      {
        timeoutMs: 60_000,
        metadata: [
          ["traceparent", "x"],
          ["k", "1"],
          ["k", "2"],
        ],
      },
    ),
    health.Version({}),
  ];
  while (requests.length < 2) await new Promise(setImmediate);
  t.same(
    requests.map(({ id }) => id),
    [1, 3],
  );
  t.match(requests[0]?.request, {
    service: "grpc.Health",
    method: "Check",
    timeout_nano: 60_000_000_000n,
    metadata: [
      { key: "traceparent", value: "x" },
      { key: "k", value: "1" },
      { key: "k", value: "2" },
    ],
  });
  t.equal(requests[1]?.request.timeout_nano, 0n);
  answer(3, {});
  answer(1, { payload: Uint8Array.of(8, 2) });
  t.same(await Promise.all(calls), [{ status: 2 }, { agent_version: "", grpc_version: "" }]);
});

test("a call whose time is up ends, and its late answer is ignored", async (t) => {
  const { health, requests, answer } = scripted();
  await t.rejects(health.Check({}, { timeoutMs: 10 }), { code: Code.deadlineExceeded });
  const next = health.Check({});
  while (requests.length < 2) await new Promise(setImmediate);
  answer(1, { payload: Uint8Array.of(8, 2) });
  answer(77, { payload: Uint8Array.of(8, 2) });
  answer(3, { payload: Uint8Array.of(8, 1) });
  t.same(await next, { status: 1 });
});

test("the caller's signal ends a call with its reason", async (t) => {
  const { health } = scripted();
  const controller = new AbortController();
  const call = health.Check({}, { signal: controller.signal });
  controller.abort(new Error("no longer wanted"));
  await t.rejects(call, { message: "no longer wanted" });
  await t.rejects(health.Check({}, { signal: controller.signal }), { message: "no longer wanted" });
});

test("an answer that makes no sense fails its call only", async (t) => {
  const { health, requests, theirs, answer } = scripted();
  const calls = [health.Check({}), health.Check({}), health.Check({}), health.Check({})];
  while (requests.length < 4) await new Promise(setImmediate);
  theirs.write(frame(1, 2, Uint8Array.of(0x0a, 0x7f)));
  answer(3, { payload: Uint8Array.of(0x08) });
  theirs.write(frame(5, 2, new Uint8Array(4 * 1024 * 1024 + 1)));
  theirs.write(frame(7, 3, Uint8Array.of(1)));
  answer(7, { payload: Uint8Array.of(8, 1) });
  await t.rejects(calls[0] as Promise<unknown>, { code: Code.internal });
  await t.rejects(calls[1] as Promise<unknown>, { code: Code.internal });
  await t.rejects(calls[2] as Promise<unknown>, { code: Code.resourceExhausted });
  t.same(await calls[3], { status: 1 });
});

test("a request over 4 MiB is not sent", async (t) => {
  const { agent, health } = await served(t);
  const data = new Uint8Array(4 * 1024 * 1024);
  await t.rejects(agent.WriteStdin({ data }), { code: Code.resourceExhausted });
  t.same(await health.Check({}), { status: 1 });
});

test("when the connection is lost all calls fail, and later ones at once", async (t) => {
  const { agent, health, connections } = await served(
    t,
    handlers({ WaitProcess: () => new Promise(() => {}) }),
  );
  const calls = [agent.WaitProcess({}), agent.WaitProcess({})];
  const failed = Promise.all(calls.map((call) => t.rejects(call, { code: Code.unavailable })));
  while (connections[0]?.running !== 2) await new Promise(setImmediate);
  await connections[0]?.close();
  await failed;
  await t.rejects(health.Check({}), { code: Code.unavailable });
});

test("closing the client fails its calls, and may be repeated", async (t) => {
  const { client, agent } = await served(t, handlers({ WaitProcess: () => new Promise(() => {}) }));
  const failed = t.rejects(agent.WaitProcess({}), { code: Code.unavailable });
  await client.close();
  await client.close();
  await failed;
});
