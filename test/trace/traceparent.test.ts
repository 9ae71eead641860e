import t from "tap";
import { parseTraceparent, remoteParent } from "../../src/trace/traceparent.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const whole = `00-${traceId}-${spanId}-01`;

const accepted: [why: string, value: string, flags: number][] = [
  ["version 00 with four parts", whole, 1],
  ["not sampled", `00-${traceId}-${spanId}-00`, 0],
  ["sampled and random", `00-${traceId}-${spanId}-03`, 3],
  ["unknown flags are masked", `00-${traceId}-${spanId}-ff`, 3],
  ["a later version", `01-${traceId}-${spanId}-01`, 1],
  ["a later version with further parts", `cc-${traceId}-${spanId}-01-what-else`, 1],
];
for (const [why, value, flags] of accepted)
  t.test(`accepts ${why}: ${value}`, async (t) => {
    t.same(parseTraceparent(value), { traceId, spanId, traceFlags: flags });
  });

const refused: [why: string, value: string][] = [
  ["version ff", `ff-${traceId}-${spanId}-01`],
  ["version 00 with further parts", `${whole}-extra`],
  ["version 00 with a dash behind it", `${whole}-`],
  ["a later version that goes on without a dash", `01-${traceId}-${spanId}-0100`],
  ["upper-case hex", whole.toUpperCase()],
  ["a short trace id", `00-${traceId.slice(1)}-${spanId}-01`],
  ["a long trace id", `00-0${traceId}-${spanId}-01`],
  ["a short span id", `00-${traceId}-${spanId.slice(1)}-01`],
  ["a trace id of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
  ["a span id of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
  ["no hex", `00-${traceId.replace("0", "g")}-${spanId}-01`],
  ["three parts", `00-${traceId}-${spanId}`],
  ["one flag digit", `00-${traceId}-${spanId}-1`],
  ["space around it", ` ${whole} `],
  ["a line feed behind it", `${whole}\n`],
  ["two values joined by a comma", `${whole},${whole}`],
  ["nothing", ""],
];
for (const [why, value] of refused)
  t.test(`refuses ${why}: ${JSON.stringify(value)}`, async (t) => {
    t.equal(parseTraceparent(value), undefined);
  });

t.test("a key that came twice is invalid, even with the same value", async (t) => {
  t.equal(
    remoteParent([
      ["traceparent", whole],
      ["traceparent", whole],
    ]),
    undefined,
  );
});

t.test("tracestate is carried, its parts in order", async (t) => {
  const parent = remoteParent([
    ["tracestate", "a=1"],
    ["other", "x"],
    ["traceparent", whole],
    ["tracestate", "b=2"],
    ["tracestate", ""],
  ]);
  t.same(parent, { traceId, spanId, traceFlags: 1, traceState: "a=1,b=2" });
});

t.test("tracestate without a valid traceparent means nothing", async (t) => {
  t.equal(remoteParent([["tracestate", "a=1"]]), undefined);
});

t.test("a tracestate beyond 512 characters is not carried, the parent is", async (t) => {
  const parent = remoteParent([
    ["traceparent", whole],
    ["tracestate", `a=${"x".repeat(511)}`],
  ]);
  t.same(parent, { traceId, spanId, traceFlags: 1 });
});
