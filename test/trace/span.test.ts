import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import { span, startSpan } from "../../src/trace/span.ts";
import { attributesOf } from "../fakes/collector.ts";
import { traced } from "./traced.ts";

t.test("when tracing is off, work runs with a span that keeps nothing", async (t) => {
  const result = await span("work", { "kata.count": 1 }, async (live) => {
    live.set({ "kata.count": 2 });
    live.event("something");
    return 42;
  });
  t.equal(result, 42);
  await t.rejects(
    span("work", {}, async () => {
      throw new Error("as it is");
    }),
    { message: "as it is" },
  );
  startSpan("life", {}).end();
});

t.test("spans nest by the code that awaits them, below the root", async (t) => {
  const { finish } = await traced(t);
  await span("outer", { "kata.crun.command": "create" }, async (outer) => {
    await sleep(1);
    await span("inner", {}, async (inner) => inner.event("half way", { "kata.io.bytes": 5 }));
    outer.set({ "kata.count": 3 });
  });
  const { named, report } = await finish();
  t.match(report, { sent: 3, dropped: 0, complete: true });
  t.equal(named("outer").parentSpanId, named("sandbox").spanId);
  t.equal(named("inner").parentSpanId, named("outer").spanId);
  t.same(attributesOf(named("outer")), { "kata.crun.command": "create", "kata.count": 3 });
  const [event] = named("inner").events ?? [];
  t.equal(event?.name, "half way");
  t.same(attributesOf(event ?? {}), { "kata.io.bytes": 5 });
});

t.test("a span lies within its parent in time, to the microsecond", async (t) => {
  const { finish } = await traced(t);
  await span("outer", {}, () => span("inner", {}, () => sleep(2)));
  const { named } = await finish();
  const times = ["sandbox", "outer", "inner"].map((name) => named(name));
  const starts = times.map((each) => BigInt(each.startTimeUnixNano));
  const ends = times.map((each) => BigInt(each.endTimeUnixNano)).reverse();
  const all = [...starts, ...ends];
  t.same(
    all,
    [...all].sort((a, b) => Number(a - b)),
  );
  const wallClock = BigInt(Date.now()) * 1_000_000n;
  t.ok(wallClock - (ends.at(-1) as bigint) < 60_000_000_000n);
});

t.test("spans that run at the same time do not become each other's parents", async (t) => {
  const { finish } = await traced(t);
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      span(`outer ${i}`, {}, async () => {
        await sleep(Math.random() * 5);
        await span(`inner ${i}`, {}, () => sleep(Math.random() * 5));
      }),
    ),
  );
  const { named } = await finish();
  for (let i = 0; i < 50; i++) t.equal(named(`inner ${i}`).parentSpanId, named(`outer ${i}`).spanId);
});

t.test("what work throws is recorded as status and error.type, and thrown on", async (t) => {
  const { finish } = await traced(t);
  const error = new AgentError(Code.notFound, "No such container: c-secret");
  await t.rejects(
    span("failing", {}, async () => {
      throw error;
    }),
    error,
  );
  const { named, spans } = await finish();
  t.same(named("failing").status, { code: 2, message: "NOT_FOUND" });
  t.equal(attributesOf(named("failing"))["error.type"], "NOT_FOUND");
  t.notMatch(JSON.stringify(spans), /secret/);
});

t.test("work that throws before its first await is recorded like any other", async (t) => {
  const { finish } = await traced(t);
  const work = (): Promise<void> => {
    throw new TypeError("at once");
  };
  await t.rejects(span("failing", {}, work), TypeError);
  const { named } = await finish();
  t.equal(attributesOf(named("failing"))["error.type"], "TypeError");
});

t.test("an open span ends once, is current only inside its run, and can be a parent", async (t) => {
  const { finish } = await traced(t);
  const life = startSpan("life", { "container.id": "c1" });
  await span("beside", {}, async () => {});
  await life.run(() => span("inside", {}, async () => {}));
  await span("below", {}, async () => {}, life);
  life.end();
  life.end(new Error("too late"));
  life.set({ "container.id": "c2" });
  const { named } = await finish();
  t.equal(named("beside").parentSpanId, named("sandbox").spanId);
  t.equal(named("inside").parentSpanId, named("life").spanId);
  t.equal(named("below").parentSpanId, named("life").spanId);
  t.same(attributesOf(named("life")), { "container.id": "c1" });
});

t.test("an open span of a using block ends with the block", async (t) => {
  const { finish } = await traced(t);
  {
    using scoped = startSpan("scoped", {});
    scoped.event("here");
  }
  const { named } = await finish();
  t.notOk(attributesOf(named("scoped"))["kata.incomplete"]);
});

t.test("spans that are still open when tracing stops are sent, and say so", async (t) => {
  const { tracing, finish } = await traced(t);
  tracing.setSandboxId("sb-1");
  const never = startSpan("never ended", {});
  const { named, report } = await finish();
  t.equal(report.complete, true);
  t.match(attributesOf(named("never ended")), { "kata.incomplete": true, "kata.sandbox.id": "sb-1" });
  t.match(attributesOf(named("sandbox")), { "kata.sandbox.id": "sb-1" });
  t.notOk(attributesOf(named("sandbox"))["kata.incomplete"]);
  never.end();
  await span("after the end", {}, async () => {});
});

t.test("a span holds no more events and text than its limits, and tells what it left out", async (t) => {
  const { finish } = await traced(t);
  const open = startSpan("chatty", {});
  for (let n = 0; n < 100; n++) open.event("again", { "kata.count": n });
  open.set({ "kata.reason": "x".repeat(5000) });
  open.end();
  const { named } = await finish();
  const { events = [], droppedEventsCount } = named("chatty");
  t.equal(events.length, 64);
  t.equal(droppedEventsCount, 36);
  t.equal(String(attributesOf(named("chatty"))["kata.reason"]).length, 1024);
});

t.test("limits may be given", async (t) => {
  const { finish } = await traced(t, { spanLimits: { eventCountLimit: 2, attributeCountLimit: 1 } });
  const open = startSpan("chatty", { "kata.count": 1, "kata.reason": "left out" });
  for (let n = 0; n < 5; n++) open.event("again");
  open.end();
  const { named } = await finish();
  const { events = [], attributes = [], droppedAttributesCount } = named("chatty");
  t.equal(events.length, 2);
  t.equal(attributes.length, 1);
  t.equal(droppedAttributesCount, 1);
});
