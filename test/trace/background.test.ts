import t from "tap";
import { backgroundSpan, noteSpan, span, spanPlace, startBackgroundSpan } from "../../src/trace/span.ts";
import { traced } from "./traced.ts";

t.test("work in the background is a trace of its own, with a link to what began it", async (t) => {
  const { finish } = await traced(t);
  const begun = await span("call", {}, async () => {
    const place = spanPlace();
    await backgroundSpan("at once", {}, () => span("step", {}, async () => undefined));
    return place;
  });
  startBackgroundSpan("later", {}, begun).end();
  const { named } = await finish();
  const [root, call] = [named("sandbox"), named("call")];
  for (const [name, cause] of [
    ["at once", root],
    ["later", call],
  ] as const) {
    const found = named(name);
    t.notOk(found.parentSpanId);
    t.not(found.traceId, root.traceId);
    t.match(found.links, [{ traceId: cause.traceId, spanId: cause.spanId }]);
  }
  t.equal(named("step").parentSpanId, named("at once").spanId);
  t.equal(named("step").traceId, named("at once").traceId);
});

t.test("what somebody else has measured becomes a span at its own time", async (t) => {
  const { finish } = await traced(t);
  await span("whole", {}, async (whole) => {
    const startMs = performance.now();
    noteSpan("part", {}, { startMs, endMs: startMs + 2 }, whole);
  });
  const { named } = await finish();
  const part = named("part");
  t.equal(part.parentSpanId, named("whole").spanId);
  const lasted = BigInt(part.endTimeUnixNano) - BigInt(part.startTimeUnixNano);
  t.ok(lasted > 1_990_000n && lasted < 2_010_000n, `${lasted}`);
});
