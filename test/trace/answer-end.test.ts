import t from "tap";
import { silentLog } from "../../src/base/log.ts";
import { HealthMethods } from "../../src/gen/methods.ts";
import { clientOf } from "../../src/rpc/client.ts";
import { createDispatcher } from "../../src/rpc/dispatch.ts";
import { handlersOf } from "../../src/rpc/handlers.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { serveTtrpc } from "../../src/rpc/ttrpc/server.ts";
import { memoryStreamPair } from "../fakes/memory-stream.ts";
import { vector } from "../fakes/vectors.ts";
import { callOf, traced } from "./traced.ts";

const name = "grpc.Health/Check";

t.test("the span ends when the answer has been written, and a wait for that is an event", async (t) => {
  const { tracing, finish } = await traced(t);
  let written = () => {};
  const call = callOf({}, [], { watch: (watcher) => (written = () => watcher.answered()) });
  await tracing.interceptor(async () => ({}))(call);
  t.equal(tracing.openCount, 2, "answered, not written");
  const beganMs = performance.now();
  while (performance.now() - beganMs < 2);
  written();
  written();
  t.equal(tracing.openCount, 1);
  const { named } = await finish();
  t.equal(named(name).events?.at(-1)?.name, "answer ready");
});

t.test("a request that waited before its handler began says so", async (t) => {
  const { tracing, finish } = await traced(t);
  const handle = tracing.interceptor(async () => ({}));
  await handle(callOf({}, [], { receivedAtMs: performance.now() - 20 }));
  const { named } = await finish();
  t.match(named(name).events, [{ name: "dispatched" }]);
});

t.test("over a connection that dies with the answer in hand no span stays open", async (t) => {
  const { tracing, finish } = await traced(t);
  const [ours, theirs] = memoryStreamPair();
  const reached = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const health = {
    async Check() {
      reached.resolve();
      await release.promise;
      return { status: 1 };
    },
  };
  const dispatcher = createDispatcher(new Map(handlersOf(HealthMethods, health)), [tracing.interceptor]);
  const server = serveTtrpc(ours, dispatcher, { log: silentLog });
  const client = createTtrpcClient(theirs);
  const call = clientOf(client, HealthMethods)
    .Check({})
    .catch(() => {});
  await reached.promise;
  await client.close();
  await call;
  await server.closed;
  release.resolve();
  while (tracing.openCount > 1) await new Promise(setImmediate);
  const { named, report } = await finish();
  t.equal(report.complete, true);
  t.ok(named(name));
});

t.test("a call has been there since its first byte, and the next one since its own", async (t) => {
  const [ours, theirs] = memoryStreamPair();
  const received: number[] = [];
  const both = Promise.withResolvers<void>();
  const health = {
    async Check(_request: object, { receivedAtMs }: { receivedAtMs: number }) {
      received.push(receivedAtMs);
      if (received.length === 2) both.resolve();
      return { status: 1 };
    },
  };
  const dispatcher = createDispatcher(new Map(handlersOf(HealthMethods, health)));
  const server = serveTtrpc(ours, dispatcher, { log: silentLog });
  const first = vector("ttrpc-request-check");
  const second = Uint8Array.from(first);
  // Stream ids rise.
  second[7] = 3;
  theirs.write(first.slice(0, 3));
  // The stream brings in the next turn what was written in this one.
  await new Promise(setImmediate);
  const restAtMs = performance.now();
  theirs.write(Buffer.concat([first.subarray(3), second]));
  await both.promise;
  const [firstAtMs = 0, nextAtMs = 0] = received;
  t.ok(firstAtMs < restAtMs, `${firstAtMs} and then ${restAtMs}`);
  t.ok(nextAtMs >= restAtMs, `${restAtMs} and then ${nextAtMs}`);
  await server.close();
});
