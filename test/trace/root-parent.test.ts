import t from "tap";
import { span } from "../../src/trace/span.ts";
import { traced } from "./traced.ts";

const parent = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
const remoteParentFlags = 0x301;

t.test("with a parent from outside, the root span is its child and all spans are in its trace", async (t) => {
  const { finish } = await traced(t, { parent });
  await span("work", {}, async () => {});
  const { named } = await finish();
  t.match(named("sandbox"), {
    traceId: parent.traceId,
    parentSpanId: parent.spanId,
    flags: remoteParentFlags,
  });
  t.match(named("work"), { traceId: parent.traceId, parentSpanId: named("sandbox").spanId });
});

t.test("without one, the root span has no parent", async (t) => {
  const { finish } = await traced(t);
  const { named } = await finish();
  t.notOk(named("sandbox").parentSpanId);
});
