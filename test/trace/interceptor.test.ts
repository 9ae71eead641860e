import t from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code, codeName } from "../../src/base/code.ts";
import { span } from "../../src/trace/span.ts";
import { attributesOf } from "../fakes/collector.ts";
import { callOf, traced } from "./traced.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const sampled = [["traceparent", `00-${traceId}-${spanId}-01`]] as const;
const unsampled = [["traceparent", `00-${traceId}-${spanId}-00`]] as const;
const name = "grpc.Health/Check";
const answer = async () => ({});

t.test("collated: the call's span is the child of its caller, tracestate included", async (t) => {
  const { tracing, finish } = await traced(t, { mode: "collated" });
  const call = callOf({}, [...sampled, ["tracestate", "vendor=1"]]);
  await tracing.interceptor(() => span("inner", {}, answer))(call);
  const { named } = await finish();
  t.match(named(name), { traceId, parentSpanId: spanId, traceState: "vendor=1", kind: 2, flags: 0x301 });
  t.match(named("inner"), {
    traceId,
    parentSpanId: named(name).spanId,
    traceState: "vendor=1",
    flags: 0x101,
  });
  t.notOk(named(name).links?.length);
});

t.test("collated: without a valid caller the span hangs below the root", async (t) => {
  const { tracing, finish } = await traced(t, { mode: "collated" });
  const handle = tracing.interceptor(answer);
  await handle(callOf({}, [["traceparent", `00-${traceId.toUpperCase()}-${spanId}-01`]]));
  await handle(callOf({}, [...sampled, ...sampled]));
  const { spans, named } = await finish();
  const calls = spans.filter((each) => each.name === name);
  t.equal(calls.length, 2);
  for (const call of calls) t.equal(call.parentSpanId, named("sandbox").spanId);
});

t.test("collated: a caller that is not sampled gets no span, and nothing below it does", async (t) => {
  const { tracing, finish } = await traced(t, { mode: "collated" });
  await tracing.interceptor(() => span("inner", {}, answer))(callOf({}, unsampled));
  const { spans, report } = await finish();
  t.same(
    spans.map((each) => each.name),
    ["sandbox"],
  );
  t.match(report, { sent: 1, complete: true });
});

t.test("isolated: every call hangs below the root and links to its caller, sampled or not", async (t) => {
  const { tracing, finish } = await traced(t, { mode: "isolated" });
  const handle = tracing.interceptor(() => span("inner", {}, answer));
  await handle(callOf({}, sampled));
  await handle(callOf({}, unsampled));
  await handle(callOf());
  const { spans, named } = await finish();
  const root = named("sandbox");
  t.ok(spans.every((each) => each.traceId === root.traceId));
  const calls = spans.filter((each) => each.name === name);
  t.same(
    calls.map((each) => [each.parentSpanId, each.flags]),
    Array.from({ length: 3 }, () => [root.spanId, 0x101]),
  );
  const links = calls.map((each) => each.links?.map((link) => [link.traceId, link.spanId, link.flags]) ?? []);
  t.same(links, [[[traceId, spanId, 0x301]], [[traceId, spanId, 0x300]], []]);
});

t.test("the context of whoever delivers the call is never its parent", async (t) => {
  const { tracing, finish } = await traced(t);
  await span("a stranger", {}, () => tracing.interceptor(answer)(callOf()));
  const { named } = await finish();
  t.equal(named(name).parentSpanId, named("sandbox").spanId);
});

t.test("the span begins with the first byte of the request", async (t) => {
  const { tracing, finish } = await traced(t);
  await tracing.interceptor(answer)(callOf({}, [], { receivedAtMs: performance.now() - 250 }));
  const { named } = await finish();
  const { startTimeUnixNano, endTimeUnixNano } = named(name);
  t.ok(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano) >= 250_000_000n);
});

t.test("a call is described by method, protocol, peer, ids and status", async (t) => {
  const { tracing, finish } = await traced(t);
  tracing.setSandboxId("sb-1");
  const request = { container_id: "c-1", exec_id: "e-1" };
  await tracing.interceptor(answer)(callOf(request, [], { protocol: "grpc", peer: "vsock:2:1234" }));
  const { named } = await finish();
  t.same(attributesOf(named(name)), {
    "kata.sandbox.id": "sb-1",
    "rpc.system.name": "grpc",
    "rpc.method": name,
    "network.peer.address": "vsock:2:1234",
    "network.transport": "vsock",
    "container.id": "c-1",
    "kata.exec.id": "e-1",
    "rpc.response.status_code": "OK",
  });
});

t.test("what is no id stays out", async (t) => {
  const { tracing, finish } = await traced(t);
  await tracing.interceptor(answer)(callOf({ container_id: "../secret", exec_id: 7, sandbox_id: "se cret" }));
  const { named } = await finish();
  t.notMatch(JSON.stringify(named(name)), /secret|kata\.exec\.id/);
});

const serverFaults = new Set<number>([
  Code.unknown,
  Code.deadlineExceeded,
  Code.unimplemented,
  Code.internal,
  Code.unavailable,
  Code.dataLoss,
]);
for (const code of Object.values(Code).filter((each) => each !== Code.ok))
  t.test(
    `${codeName(code)} ${serverFaults.has(code) ? "is" : "is not"} an error of the server`,
    async (t) => {
      const { tracing, finish } = await traced(t);
      const error = new AgentError(code, "step: detail");
      const failing = async () => {
        throw error;
      };
      await t.rejects(tracing.interceptor(failing)(callOf()), error);
      const { named } = await finish();
      t.match(attributesOf(named(name)), {
        "rpc.response.status_code": codeName(code),
        "error.type": codeName(code),
      });
      if (serverFaults.has(code)) t.same(named(name).status, { code: 2, message: codeName(code) });
      else t.notOk(named(name).status?.code);
    },
  );

t.test("an error that is none of ours is INTERNAL, as the caller is told", async (t) => {
  const { tracing, finish } = await traced(t);
  const failing = async () => {
    throw new RangeError("secret");
  };
  await t.rejects(tracing.interceptor(failing)(callOf()), RangeError);
  const { named } = await finish();
  t.equal(attributesOf(named(name))["rpc.response.status_code"], "INTERNAL");
  t.notMatch(JSON.stringify(named(name)), /secret/);
});

t.test("a call whose caller was told DEADLINE_EXCEEDED says so, however its handler ended", async (t) => {
  const { tracing, finish } = await traced(t);
  const aborted = new AgentError(Code.deadlineExceeded, "timeout");
  await tracing.interceptor(answer)(callOf({}, [], { aborted }));
  const { named } = await finish();
  t.equal(attributesOf(named(name))["rpc.response.status_code"], "DEADLINE_EXCEEDED");
  t.same(named(name).status, { code: 2, message: "DEADLINE_EXCEEDED" });
});

t.test("after the end calls pass through untouched", async (t) => {
  const { tracing, finish } = await traced(t);
  const handle = tracing.interceptor(answer);
  await finish();
  t.same(await handle(callOf()), {});
});
