import { readFile } from "node:fs/promises";
import { test } from "tap";
import { toJson } from "../../src/ctl/to-json.ts";
import { drawTrace } from "../../src/ctl/trace-draw.ts";
import { readTraceFile } from "../../src/ctl/trace-file.ts";
import { traceJson } from "../../src/ctl/trace-json.ts";
import { formatDuration } from "../../src/view/duration.ts";
import { buildTraces } from "../../src/view/trace-tree.ts";

const vectors = new URL("../vectors/", import.meta.url).pathname;
const file = () => readTraceFile(`${vectors}pod-trace.jsonl`);

test("the tree of a file looks like the golden text", async (t) => {
  const { spans } = await file();
  const drawn = buildTraces(spans).flatMap((trace) =>
    drawTrace(trace, { width: 140, colour: false, fold: true }),
  );
  t.equal(`${drawn.join("\n")}\n`, await readFile(`${vectors}pod-trace.txt`, "utf8"));
});

test("bad lines and spans are named by their line, and cost only themselves", async (t) => {
  const { spans, problems } = await file();
  t.same(problems, ["line 4: not an OTLP trace export", 'line 5: span "nameless" without valid ids']);
  t.equal(spans.length, 7);
});

for (const width of [40, 80, 200]) {
  test(`at ${width} columns no row is wider than the terminal (60 at least)`, async (t) => {
    const { spans } = await file();
    for (const trace of buildTraces(spans)) {
      for (const row of drawTrace(trace, { width, colour: false, fold: true }))
        t.ok(row.length <= Math.max(60, width), row);
    }
  });
}

test("control characters of a span never reach the terminal, colours only when asked for", async (t) => {
  const { spans } = await file();
  const traces = buildTraces(spans);
  const plain = traces
    .flatMap((trace) => drawTrace(trace, { width: 200, colour: false, fold: true }))
    .join("\n");
  t.notMatch(plain, "\u001b");
  t.match(plain, "no such�[31m container");
  const coloured = traces
    .flatMap((trace) => drawTrace(trace, { width: 200, colour: true, fold: true }))
    .join("\n");
  t.match(coloured, "\u001b[31m");
});

test("a tree twenty thousand spans deep can be drawn", (t) => {
  const id = (n: number) => n.toString(16).padStart(16, "0");
  const base = {
    traceId: "1".repeat(32),
    kind: 1,
    attributes: new Map(),
    events: [],
    links: [],
    service: "s",
  };
  const spans = Array.from({ length: 20_000 }, (_, n) => ({
    ...base,
    spanId: id(n + 1),
    parentSpanId: n === 0 ? "" : id(n),
    name: "x",
    startNs: BigInt(n),
    endNs: 40_000n,
    status: { error: false, message: "" },
  }));
  const [trace] = buildTraces(spans);
  t.ok(trace);
  if (trace !== undefined)
    t.equal(drawTrace(trace, { width: 100, colour: false, fold: true }).length, 20_001);
  t.end();
});

const alike = (count: number, failing = -1) =>
  Array.from({ length: count + 1 }, (_, n) => ({
    traceId: "1".repeat(32),
    spanId: (n + 1).toString(16).padStart(16, "0"),
    parentSpanId: n === 0 ? "" : "1".padStart(16, "0"),
    name: n === 0 ? "root" : "read",
    kind: 1,
    startNs: BigInt(n),
    endNs: BigInt(n + 1),
    attributes: new Map(),
    status: { error: n === failing, message: "" },
    events: [],
    links: [],
    service: "s",
  }));

const foldRows: readonly [
  what: string,
  count: number,
  failing: number,
  fold: boolean,
  rows: number,
  more: RegExp,
][] = [
  ["four alike are drawn one by one", 4, -1, true, 6, /read/],
  ["of five alike two are drawn, the others are one row", 5, -1, true, 5, /… 3 more read/],
  ["a failed one among many is drawn", 50, 30, true, 6, /… 47 more read/],
  ["nothing is folded unless it is asked for", 50, -1, false, 52, /read/],
];
for (const [what, count, failing, fold, expected, more] of foldRows) {
  test(what, (t) => {
    const [trace] = buildTraces(alike(count, failing));
    const drawn = trace === undefined ? [] : drawTrace(trace, { width: 100, colour: false, fold });
    t.equal(drawn.length, expected);
    t.match(drawn.join("\n"), more);
    t.end();
  });
}

test("the JSON form nests spans and keeps 64-bit numbers exact", async (t) => {
  const { spans } = await file();
  const [trace] = buildTraces(spans);
  t.ok(trace);
  if (trace === undefined) return;
  t.match(toJson(traceJson(trace)), {
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_count: 5,
    missing_parent_count: 1,
    roots: [
      {
        name: "pod",
        children: [
          { children: [{ name: "crun create", attributes: { "process.pid": "4711" } }] },
          { error: /no such/ },
        ],
      },
      { name: "late output", missing_parent: "dead00000000dead", duration_ns: "200000000" },
    ],
  });
});

const durations: readonly [bigint, string][] = [
  [-5n, "0 ns"],
  [0n, "0 ns"],
  [999n, "999 ns"],
  [1_500n, "1.50 µs"],
  [999_499n, "999 µs"],
  [999_500n, "1.00 ms"],
  [45_600_000n, "45.6 ms"],
  [999_600_000n, "1.00 s"],
  [12_340_000_000n, "12.3 s"],
  [59_990_000_000n, "1m 00s"],
  [3_665_000_000_000n, "61m 05s"],
];
for (const [ns, expected] of durations) {
  test(`${ns} ns is shown as ${expected}`, (t) => {
    t.equal(formatDuration(ns), expected);
    t.end();
  });
}
