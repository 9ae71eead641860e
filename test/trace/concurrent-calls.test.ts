import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import { silentLog } from "../../src/base/log.ts";
import { AgentServiceMethods } from "../../src/gen/methods.ts";
import { clientOf } from "../../src/rpc/client.ts";
import { createDispatcher } from "../../src/rpc/dispatch.ts";
import { handlersOf } from "../../src/rpc/handlers.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { serveTtrpc } from "../../src/rpc/ttrpc/server.ts";
import { span } from "../../src/trace/span.ts";
import type { Tracing } from "../../src/trace/tracing.ts";
import { dial } from "../../src/vsock/dial.ts";
import { listen } from "../../src/vsock/listen.ts";
import { attributesOf } from "../fakes/collector.ts";
import { socketPath, traced } from "./traced.ts";

const calls = 256;
const rounds = 3;
const pause = () => sleep(Math.random() * 20);
const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

/** A real ttRPC server whose StartContainer parks, works in inner spans, and fails every eighth time. */
async function serveTraced(t: Tap, tracing: Tracing) {
  const background: Promise<void>[] = [];
  const handlers = new Map([
    ...handlersOf(AgentServiceMethods, {
      async StartContainer({ container_id }) {
        await pause();
        await span("crun start", { "container.id": container_id }, async () => {
          await pause();
          background.push(span("watch", { "container.id": container_id }, pause));
          await span("first byte", { "container.id": container_id }, pause);
        });
        if (Number(container_id.slice(1)) % 8 === 0) throw new AgentError(Code.notFound, "No such container");
        return {};
      },
    }),
  ]);
  const path = socketPath(t);
  const dispatcher = createDispatcher(handlers, [tracing.interceptor]);
  const listener = await listen(
    { kind: "unix", path },
    (accepted) => serveTtrpc(accepted.stream(), dispatcher, { log: silentLog }),
    silentLog,
  );
  t.teardown(() => listener.close());
  const connections = await Promise.all(
    Array.from({ length: 4 }, async () =>
      createTtrpcClient(await dial({ kind: "unix", path }, { timeoutMs: 60_000 })),
    ),
  );
  t.teardown(() => Promise.all(connections.map((each) => each.close())));
  return { clients: connections.map((each) => clientOf(each, AgentServiceMethods)), background };
}

type Tap = Parameters<typeof socketPath>[0];

async function callAll(
  { clients, background }: Awaited<ReturnType<typeof serveTraced>>,
  metadata: (i: number) => [string, string][],
): Promise<void> {
  await Promise.all(
    Array.from({ length: calls }, (_, i) =>
      clients[i % clients.length]
        ?.StartContainer({ container_id: `c${i}` }, { metadata: metadata(i) })
        .catch((error: AgentError) => {
          if (error.code !== Code.notFound) throw error;
        }),
    ),
  );
  await Promise.all(background);
}

for (let round = 1; round <= rounds; round++)
  t.test(
    `collated, ${calls} calls at once: each is its caller's child, none is lost, round ${round}`,
    async (t) => {
      const { tracing, finish } = await traced(t, { mode: "collated" });
      const server = await serveTraced(t, tracing);
      await callAll(server, (i) => [["traceparent", `00-${hex(i + 1, 32)}-${hex(i + 1, 16)}-01`]]);
      const { spans, report } = await finish();
      t.match(report, { complete: true, dropped: 0, sent: 4 * calls + 1 });
      let right = 0;
      for (let i = 0; i < calls; i++) {
        const own = spans.filter((each) => attributesOf(each)["container.id"] === `c${i}`);
        const find = (name: string) => own.filter((each) => each.name === name);
        const [call, ...more] = find("grpc.AgentService/StartContainer");
        const [start] = find("crun start");
        const [byte] = find("first byte");
        const [watch] = find("watch");
        const tree =
          own.length === 4 &&
          more.length === 0 &&
          call?.traceId === hex(i + 1, 32) &&
          call.parentSpanId === hex(i + 1, 16) &&
          start?.parentSpanId === call.spanId &&
          byte?.parentSpanId === start.spanId &&
          byte.traceId === call.traceId &&
          watch?.parentSpanId === start.spanId;
        if (tree) right++;
      }
      t.equal(right, calls);
    },
  );

t.test(`isolated, ${calls} calls at once without a caller's context stay one trace`, async (t) => {
  const { tracing, finish } = await traced(t, { mode: "isolated" });
  await callAll(await serveTraced(t, tracing), () => []);
  const { spans, named, report } = await finish();
  t.equal(report.complete, true);
  const root = named("sandbox");
  const below = spans.filter((each) => each.name === "grpc.AgentService/StartContainer");
  t.equal(below.length, calls);
  t.ok(below.every((each) => each.traceId === root.traceId && each.parentSpanId === root.spanId));
  const roots = spans.filter((each) => !each.parentSpanId).map((each) => each.name);
  t.same(new Set(roots), new Set(["sandbox"]));
});
