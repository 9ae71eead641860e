import { test } from "tap";
import { compareTraces } from "../../src/view/compare.ts";
import { parseOtlpLine } from "../../src/view/otlp-json.ts";
import { serviceMap } from "../../src/view/service-map.ts";
import { listed, sandboxesOf } from "../../src/view/trace-list.ts";
import { summaryOf, type TraceSummary } from "../../src/view/trace-summary.ts";
import { buildTraces, type Trace } from "../../src/view/trace-tree.ts";
import { selfTimeNs, waterfallRows } from "../../src/view/waterfall.ts";
import { type PodTrace, podTrace, podTraceId } from "../fakes/pod-trace.ts";

function traceOf(wanted: PodTrace): Trace {
  const [trace] = buildTraces(parseOtlpLine(JSON.stringify(podTrace(wanted))).spans);
  if (trace === undefined) throw new Error("no trace");
  return trace;
}

function summary(wanted: PodTrace): TraceSummary {
  const { spans } = parseOtlpLine(JSON.stringify(podTrace(wanted)));
  return summaryOf(traceOf(wanted), spans);
}

test("a summary names what the spans are about", async (t) => {
  t.match(summary({ number: 3, checks: 2, failed: true }), {
    traceId: podTraceId(3),
    name: "StartVM",
    durationNs: 4e9,
    spanCount: 5,
    errorCount: 1,
    incompleteCount: 0,
    services: ["kata", "kata-agent"],
    sandboxes: ["sandbox-3"],
    containers: ["web-3"],
    pods: ["shop/pod-3"],
  });
});

test("a list shows failed traces first, then the slow ones", async (t) => {
  const slow = { ...summary({ number: 1, checks: 0 }), durationNs: 9e9 };
  const quick = summary({ number: 2, checks: 0 });
  const failed = summary({ number: 3, checks: 0, failed: true });
  t.strictSame(listed([quick, slow, failed], "", "trouble"), [failed, slow, quick]);
  t.strictSame(listed([quick, slow, failed], "", "newest"), [failed, quick, slow]);
});

test("a search looks everywhere, or in the field that it names", async (t) => {
  const traces = [1, 2, 3].map((number) => summary({ number, checks: 0 }));
  const found = (query: string) => listed(traces, query, "newest").map(({ traceId }) => traceId);
  t.strictSame(found("POD-2"), [podTraceId(2)]);
  t.strictSame(found("pod:web"), []);
  t.strictSame(found("container:web sandbox:sandbox-3"), [podTraceId(3)]);
  t.strictSame(found("method:createcontainer"), [3, 2, 1].map(podTraceId));
  t.strictSame(found("nowhere:x"), []);
});

test("sandboxes with failures come first", async (t) => {
  const rows = sandboxesOf([
    summary({ number: 1, checks: 0, failed: true }),
    summary({ number: 2, checks: 0 }),
  ]);
  t.match(rows, [
    { id: "sandbox-1", traces: 1, failed: 1 },
    { id: "sandbox-2", traces: 1, failed: 0 },
  ]);
});

test("a waterfall has a row for every span that no collapsed one hides", async (t) => {
  const trace = traceOf({ number: 1, checks: 3 });
  const rows = waterfallRows(trace, new Set());
  t.strictSame(
    rows.map(({ node, depth }) => [node.span.name, depth]),
    [
      ["StartVM", 0],
      ["grpc.AgentService/CreateContainer", 1],
      ["crun create", 2],
      ...Array.from({ length: 3 }, () => ["grpc.Health/Check", 1]),
    ],
  );
  t.match(rows[3], { position: 2, siblings: 4 });
  const hidden = new Set([rows[1]?.node.span.spanId ?? ""]);
  t.equal(waterfallRows(trace, hidden).length, rows.length - 1);
});

test("own time is what no child was busy with", async (t) => {
  const trace = traceOf({ number: 1, checks: 0 });
  const create = trace.roots[0]?.children[0];
  t.ok(create);
  if (create) t.equal(selfTimeNs(create), 800_000_000n);
});

test("a comparison puts the same step of two traces in one row", async (t) => {
  const rows = compareTraces(
    traceOf({ number: 1, checks: 1 }),
    traceOf({ number: 2, checks: 2, slowerMs: 250 }),
  );
  t.strictSame(
    rows.map(({ name, deltaNs, left }) => [name, deltaNs, left !== undefined]),
    [
      ["StartVM", 0n, true],
      ["grpc.AgentService/CreateContainer", 0n, true],
      ["crun create", 250_000_000n, true],
      ["grpc.Health/Check", 0n, true],
      ["grpc.Health/Check", 1_000_000n, false],
    ],
  );
});

test("the map tells who works for whom: runtime, agent, crun", async (t) => {
  const { nodes, edges } = serviceMap([traceOf({ number: 1, checks: 2, failed: true })]);
  t.match(nodes, [
    { name: "kata", column: 0, spans: 1, errors: 0 },
    { name: "kata-agent", column: 1, spans: 3, errors: 1 },
    { name: "crun", column: 2, spans: 1 },
  ]);
  const told = edges.map(({ from, to, calls, errors }) => `${from} ${to} ${calls} ${errors}`).sort();
  t.strictSame(told, ["kata kata-agent 3 1", "kata-agent crun 1 0"]);
});
