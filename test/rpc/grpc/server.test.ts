import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { test } from "tap";
import { AgentError } from "../../../src/base/agent-error.ts";
import { Code } from "../../../src/base/code.ts";
import { silentLog } from "../../../src/base/log.ts";
import { AgentServiceMethods, HealthMethods } from "../../../src/gen/methods.ts";
import type { Call, Handlers } from "../../../src/rpc/call.ts";
import { clientOf } from "../../../src/rpc/client.ts";
import { createDispatcher } from "../../../src/rpc/dispatch.ts";
import { createGrpcClient } from "../../../src/rpc/grpc/client.ts";
import { createGrpcServer } from "../../../src/rpc/grpc/server.ts";
import { dialSocket } from "../../../src/vsock/dial.ts";
import { listen } from "../../../src/vsock/listen.ts";
import { handlers } from "../../fakes/rpc-server.ts";

type Scope = { teardown(undo: () => Promise<void> | void): void };

async function grpcServer(t: Scope, serving: Handlers) {
  const folder = mkdtempSync(join(tmpdir(), "rpc-"));
  const path = join(folder, "agent.sock");
  const server = await createGrpcServer(createDispatcher(serving), silentLog);
  const take = (accepted: { socket(): Parameters<typeof server.take>[0] }) =>
    server.take(accepted.socket(), "unix");
  const listener = await listen({ kind: "unix", path }, take, silentLog);
  t.teardown(async () => {
    await listener.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  return { server, path };
}

type Answer = { data?: Buffer };
type Unary = (
  request: object,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: (error: grpc.ServiceError | null, answer?: Answer) => void,
) => grpc.ClientUnaryCall;

function packageOf(definition: ReturnType<typeof loadSync>): grpc.GrpcObject {
  const { grpc: found } = grpc.loadPackageDefinition(definition);
  return found as grpc.GrpcObject;
}

/** The gRPC library with the proto files, as a client that has nothing of ours. */
function foreignClient(t: Scope, path: string, service: "AgentService" | "Health") {
  const definition = loadSync(["grpc/agent.proto", "grpc/health.proto"], {
    includeDirs: [join(import.meta.dirname, "../../../protos")],
    keepCase: true,
    longs: String,
  });
  const Service = packageOf(definition)[service];
  const client = new (Service as grpc.ServiceClientConstructor)(
    `unix:${path}`,
    grpc.credentials.createInsecure(),
  );
  t.teardown(() => client.close());
  return (
    method: string,
    request: object,
    options: grpc.CallOptions = {},
    metadata = new grpc.Metadata(),
  ) => {
    const unary = client[method] as unknown as Unary;
    return new Promise<Answer>((resolve, reject) => {
      unary.call(client, request, metadata, options, (error, answer) =>
        error ? reject(error) : resolve(answer ?? {}),
      );
    });
  };
}

async function ourClient(t: Scope, path: string) {
  const client = createGrpcClient(await dialSocket({ kind: "unix", path }, { timeoutMs: 60_000 }));
  t.teardown(() => client.close());
  return { agent: clientOf(client, AgentServiceMethods), health: clientOf(client, HealthMethods), client };
}

test("a foreign gRPC client is served", async (t) => {
  const { path } = await grpcServer(
    t,
    handlers({
      ReadStdout: async ({ len }) => ({ data: new Uint8Array(len).fill(7) }),
      StatsContainer: async () => ({
        cgroup_stats: undefined,
        network_stats: [
          {
            name: "eth0",
            rx_bytes: 2n ** 63n,
            rx_packets: 1n,
            rx_errors: 0n,
            rx_dropped: 0n,
            tx_bytes: 0n,
            tx_packets: 0n,
            tx_errors: 0n,
            tx_dropped: 0n,
          },
        ],
      }),
    }),
  );
  const agent = foreignClient(t, path, "AgentService");
  const health = foreignClient(t, path, "Health");
  t.match(await health("Check", {}), { status: 1 });
  t.equal((await agent("ReadStdout", { len: 200_000 })).data?.length, 200_000);
  t.match(await agent("StatsContainer", { container_id: "c1" }), {
    network_stats: [{ rx_bytes: String(2n ** 63n) }],
  });
});

test("a handler sees metadata, peer and protocol of a gRPC call", async (t) => {
  const calls: Call[] = [];
  const Check = async (_request: object, call: Call) => {
    calls.push(call);
    return { status: 1 };
  };
  const { path } = await grpcServer(t, handlers({}, { Check }));
  const metadata = new grpc.Metadata();
  metadata.add("traceparent", "00-x");
  await foreignClient(t, path, "Health")("Check", {}, {}, metadata);
  t.match(calls[0], { protocol: "grpc", peer: "unix" });
  t.same(
    calls[0]?.metadata.find(([key]) => key === "traceparent"),
    ["traceparent", "00-x"],
  );
});

test("errors reach a foreign client with code and text", async (t) => {
  const Check = async () => {
    throw new AgentError(Code.notFound, "kein Ding: 100 % weg");
  };
  const { path } = await grpcServer(t, handlers({}, { Check }));
  const health = foreignClient(t, path, "Health");
  await t.rejects(health("Check", {}), { code: Code.notFound, details: "kein Ding: 100 % weg" });
  await t.rejects(health("Version", {}), { code: Code.unimplemented, details: "method Version" });
});

for (const [what, text, start] of [
  ["a long text", "x".repeat(100_000), /^x{8192}$/],
  ["a long text of other letters", "語".repeat(100_000), /^語{1365}$/],
  ["a text with half a letter", "half \ud83d", /^half \ufffd$/],
] as const) {
  test(`${what} reaches a client as far as a header holds it, and the connection lives`, async (t) => {
    const fail = async () => {
      throw new AgentError(Code.notFound, text);
    };
    const waiting = Promise.withResolvers<{ status: number }>();
    const running = Promise.withResolvers<void>();
    const WaitProcess = () => {
      running.resolve();
      return waiting.promise;
    };
    const { path } = await grpcServer(t, handlers({ WaitProcess }, { Check: fail }));
    const foreign = foreignClient(t, path, "Health");
    await t.rejects(foreign("Check", {}), { code: Code.notFound, details: start });
    const our = await ourClient(t, path);
    const other = our.agent.WaitProcess({});
    await running.promise;
    await t.rejects(our.health.Check({}), { code: Code.notFound, message: start });
    waiting.resolve({ status: 7 });
    t.match(await other, { status: 7 }, "a call beside it ends well");
  });
}

test("deadline and cancellation of a foreign client reach the handler", async (t) => {
  const reasons: AgentError[] = [];
  const running = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const aborted = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let calls = 0;
  const Check = (_request: object, call: Call) => {
    running[calls++]?.resolve();
    call.signal.addEventListener("abort", () => {
      reasons.push(call.signal.reason);
      aborted[reasons.length - 1]?.resolve();
    });
    return new Promise<{ status: number }>(() => {});
  };
  const { path } = await grpcServer(t, handlers({}, { Check }));
  const health = foreignClient(t, path, "Health");
  // Long enough to reach the handler: one that has passed on arrival never does.
  for (let ms = 1500; calls === 0; ms *= 2)
    await t.rejects(health("Check", {}, { deadline: Date.now() + ms }), { code: Code.deadlineExceeded });
  await aborted[0]?.promise;
  const our = await ourClient(t, path);
  const controller = new AbortController();
  const call = our.health.Check({}, { signal: controller.signal });
  await running[1]?.promise;
  controller.abort(new Error("enough"));
  await t.rejects(call, { message: "enough" });
  await aborted[1]?.promise;
  t.match(
    reasons.map((reason) => reason.code),
    [Code.deadlineExceeded, Code.cancelled],
  );
});

test("our client gets answers, statuses and its own deadline", async (t) => {
  const { path } = await grpcServer(
    t,
    handlers({
      ReadStdout: async ({ len }) => ({ data: new Uint8Array(len).fill(7) }),
      WaitProcess: () => new Promise(() => {}),
    }),
  );
  const { agent, health } = await ourClient(t, path);
  t.same(await health.Check({}), { status: 1 });
  t.equal((await agent.ReadStdout({ len: 1_000_000 })).data.length, 1_000_000);
  await t.rejects(agent.StartContainer({}), { code: Code.unimplemented, message: "method StartContainer" });
  await t.rejects(agent.ReadStdout({ len: 5_000_000 }), {
    code: Code.invalidArgument,
    message: /answer exceeds/,
  });
  await t.rejects(agent.WriteStdin({ data: new Uint8Array(5_000_000) }), { code: Code.resourceExhausted });
  await t.rejects(agent.WaitProcess({}, { timeoutMs: 30 }), { code: Code.deadlineExceeded });
  t.same(await Promise.all([health.Check({}), health.Check({})]), [{ status: 1 }, { status: 1 }]);
});

test("a request message that does not decode is INVALID_ARGUMENT", async (t) => {
  const { path } = await grpcServer(t, handlers());
  const client = new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure());
  t.teardown(() => client.close());
  const send = (bytes: Buffer) =>
    new Promise((resolve, reject) => {
      const asIs = (value: Buffer) => value;
      client.makeUnaryRequest("/grpc.Health/Check", asIs, asIs, bytes, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
  await t.rejects(send(Buffer.of(0x0a, 0x7f)), { code: Code.invalidArgument });
  t.same(await send(Buffer.alloc(0)), Buffer.of(8, 1));
});

test("closing lets a running call finish, and cuts one that does not", async (t) => {
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const Check = async () => {
    started.resolve();
    await release.promise;
    return { status: 1 };
  };
  const { path, server } = await grpcServer(
    t,
    handlers({ WaitProcess: () => new Promise(() => {}) }, { Check }),
  );
  const { agent, health } = await ourClient(t, path);
  const finishing = health.Check({});
  const cut = t.rejects(agent.WaitProcess({}), { code: Code.unavailable });
  await started.promise;
  const closed = server.close(100);
  release.resolve();
  t.same(await finishing, { status: 1 });
  await closed;
  await cut;
  await server.close();
});

test("a call has been there since its head, however long its body takes", async (t) => {
  const seen = Promise.withResolvers<number>();
  const serving = handlers(
    {},
    {
      async Check(_request, call) {
        seen.resolve(call.receivedAtMs);
        return { status: 1 };
      },
    },
  );
  const { path } = await grpcServer(t, serving);
  const session = connect("http://agent", { createConnection: () => connectSocket(path) });
  t.teardown(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.resume();
  await once(session, "remoteSettings");
  // The frames of a connection are read in their order, so whoever answers this has read the head.
  await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));
  const restAtMs = performance.now();
  stream.end(Buffer.alloc(5));
  const headAtMs = await seen.promise;
  t.ok(headAtMs < restAtMs, `${headAtMs} and then ${restAtMs}`);
});
