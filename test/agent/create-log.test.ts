import { test } from "tap";
import { createLog } from "../../src/agent/create-log.ts";
import { span } from "../../src/trace/span.ts";
import { attributesOf } from "../fakes/collector.ts";
import { traced } from "../trace/traced.ts";

function logged() {
  const lines: Record<string, unknown>[] = [];
  const target = {
    write: (line: string) => void lines.push(JSON.parse(line)),
    flush() {},
    close: async () => {},
  };
  return { lines, log: createLog("debug", target) };
}

test("a line within a span tells trace and span; one outside tells none", async (t) => {
  const { tracing, finish } = await traced(t);
  const { lines, log } = logged();
  log.info({}, "outside");
  await span("work", {}, async () => {
    await Promise.resolve();
    log.info({ n: 1 }, "inside");
    log.child({ container: "c1" }).debug({}, "by a child");
  });
  const { named } = await finish();
  const { traceId: trace_id, spanId: span_id } = named("work");
  t.notOk("trace_id" in (lines[0] ?? {}));
  t.match(lines[1], { msg: "inside", n: 1, trace_id, span_id });
  t.match(lines[2], { msg: "by a child", container: "c1", trace_id, span_id });
  t.equal(tracing.report().complete, true);
});

test("a warning is an event of its span, with its text and none of its fields", async (t) => {
  const { finish } = await traced(t);
  const { log } = logged();
  await span("work", {}, async () => {
    log.info({}, "not this one");
    log.warn({ secret: "SECRET" }, "something is odd");
    log.error({ err: new Error("SECRET") }, "something is wrong");
  });
  const { named } = await finish();
  const { events = [] } = named("work");
  t.same(
    events.map((event) => [event.name, attributesOf(event)]),
    [
      ["log", { "kata.log.level": "WARN", "kata.log.message": "something is odd" }],
      ["log", { "kata.log.level": "ERRO", "kata.log.message": "something is wrong" }],
    ],
  );
  t.notMatch(JSON.stringify(events), /SECRET/);
});

test("while tracing is off lines are as they were", async (t) => {
  const { lines, log } = logged();
  log.warn({}, "plain");
  t.equal(lines.length, 1);
  t.notOk("trace_id" in (lines[0] ?? {}));
});
