import { test } from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import { HealthMethods } from "../../src/gen/methods.ts";
import type { Call, Interceptor } from "../../src/rpc/call.ts";
import { CallCounts } from "../../src/rpc/call-counts.ts";
import { clientOf } from "../../src/rpc/client.ts";
import { createDispatcher } from "../../src/rpc/dispatch.ts";
import { LiveCall } from "../../src/rpc/live-call.ts";
import type { Route } from "../../src/rpc/route.ts";
import { createTtrpcClient } from "../../src/rpc/ttrpc/client.ts";
import { dial } from "../../src/vsock/dial.ts";
import { handlers, ttrpcServer } from "../fakes/rpc-server.ts";

type Scope = Parameters<typeof ttrpcServer>[0];

async function health(
  t: Scope,
  serving: ReturnType<typeof handlers>,
  interceptors: readonly Interceptor[] = [],
) {
  const { address } = await ttrpcServer(t, serving, { interceptors });
  const client = createTtrpcClient(await dial(address, { timeoutMs: 60_000 }));
  t.teardown(() => client.close());
  return clientOf(client, HealthMethods);
}

test("interceptors stand around the handler, the first one outermost, and are set up once", async (t) => {
  const seen: string[] = [];
  let madeOf = 0;
  const named =
    (name: string): Interceptor =>
    (next) => {
      madeOf++;
      return async (call) => {
        seen.push(`${name} before ${call.method.path}`);
        const answer = await next(call);
        seen.push(`${name} after`);
        return answer;
      };
    };
  const { Check, Version } = await health(t, handlers(), [named("outer"), named("inner")]);
  const made = madeOf;
  await Check({});
  await Check({});
  t.equal(madeOf, made);
  t.same(seen.slice(0, 4), [
    "outer before grpc.Health/Check",
    "inner before grpc.Health/Check",
    "inner after",
    "outer after",
  ]);
  seen.length = 0;
  await t.rejects(Version({}), { code: Code.unimplemented }, "also around what is not implemented");
  t.equal(seen.length, 2);
});

test("an interceptor may refuse", async (t) => {
  const refuse: Interceptor = () => async (call) => {
    throw new AgentError(Code.permissionDenied, `${call.method.requestType.name} is blocked by policy: `);
  };
  const { Check } = await health(t, handlers(), [refuse]);
  await t.rejects(Check({}), {
    code: Code.permissionDenied,
    message: "grpc.CheckRequest is blocked by policy: ",
  });
});

test("a handler gets its request, and all there is to know about the call", async (t) => {
  const calls: Call[] = [];
  const Check = async (_request: object, call: Call) => {
    calls.push(call);
    return { status: 1 };
  };
  const before = performance.now();
  const client = await health(t, handlers({}, { Check }));
  await client.Check({ service: "x" }, { metadata: [["TraceParent", "1"]] });
  const [call] = calls;
  t.match(call, { method: HealthMethods.Check, request: { service: "x" }, protocol: "ttrpc", peer: /^unix/ });
  t.same(call?.metadata, [["traceparent", "1"]]);
  t.ok((call?.receivedAtMs ?? 0) >= before && (call?.receivedAtMs ?? 0) <= performance.now());
  t.equal(call?.signal.aborted, false);
});

test("the signal of a call that has been given up is aborted also when it is asked for late", async (t) => {
  const parked = Promise.withResolvers<Call>();
  const release = Promise.withResolvers<void>();
  const Check = async (_request: object, call: Call) => {
    parked.resolve(call);
    await release.promise;
    return { status: 1 };
  };
  const client = await health(t, handlers({}, { Check }));
  await t.rejects(client.Check({}, { timeoutMs: 5 }), { code: Code.deadlineExceeded });
  const call = await parked.promise;
  while (!call.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1));
  t.match(call.signal.reason, { code: Code.deadlineExceeded, message: "timeout" });
  release.resolve();
});

test("calls are counted by method and by how their handlers ended, and while they run", async (t) => {
  const counts = new CallCounts();
  const of = (name: "Check" | "Version") => counts.of(HealthMethods[name]);
  const overdue = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const late: Interceptor = (next) => async (call) => {
    if (call.method === HealthMethods.Version) throw new AgentError(Code.permissionDenied, "no");
    call.signal.addEventListener("abort", () => overdue.resolve());
    await goOn.promise;
    return next(call);
  };
  const { address } = await ttrpcServer(t, handlers(), { interceptors: [late], counts });
  const client = createTtrpcClient(await dial(address, { timeoutMs: 60_000 }));
  t.teardown(() => client.close());
  const { Check, Version } = clientOf(client, HealthMethods);
  await t.rejects(Version({}), { code: Code.permissionDenied });
  t.equal(of("Version").ended[Code.permissionDenied], 1);
  await t.rejects(Check({}, { timeoutMs: 50 }), { code: Code.deadlineExceeded });
  await overdue.promise;
  t.equal(of("Check").running, 1, "the peer has its answer, but the work goes on");
  goOn.resolve();
  await Check({});
  t.equal(of("Check").running, 0);
  t.equal(of("Check").ended[Code.deadlineExceeded], 1);
  t.equal(of("Check").ended[Code.ok], 1);
});

test("a call whose time was up when it came is heard of by the outermost interceptor, and by nobody else", async (t) => {
  const heard: (string | undefined)[] = [];
  const listening =
    (name: string): Interceptor =>
    (next) =>
    async (call) => {
      heard.push(`${name}: ${call.aborted?.message}`);
      return next(call);
    };
  const never = handlers({}, { Check: async () => t.fail("the handler was called") as never });
  const dispatcher = createDispatcher(never, [listening("outer"), listening("inner")]);
  const route = dispatcher.routes.find(({ method }) => method.name === "Check") as Route;
  const origin = { metadata: [], protocol: "ttrpc", peer: "unix", receivedAtMs: 0, id: 1 } as const;
  const answers: string[] = [];
  const answer = () => t.fail("answered");
  dispatcher.run(new LiveCall(route, {}, origin), -1, {
    answer,
    fail: (_call, error) => answers.push(error.message),
  });
  t.same(heard, ["outer: timeout"]);
  t.same(answers, ["timeout"]);
});
