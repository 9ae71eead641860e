import { test } from "tap";
import type { SpanRecord } from "../../src/view/span-record.ts";
import { buildTraces, type TraceNode } from "../../src/view/trace-tree.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";

function span(
  spanId: string,
  parentSpanId: string,
  startNs: number,
  more: Partial<SpanRecord> = {},
): SpanRecord {
  return {
    traceId,
    spanId,
    parentSpanId,
    name: spanId,
    kind: 1,
    startNs: BigInt(startNs),
    endNs: BigInt(startNs + 10),
    attributes: new Map(),
    status: { error: false, message: "" },
    events: [],
    links: [],
    service: "test",
    ...more,
  };
}

/** `a(b(c) d)` */
function outline(nodes: readonly TraceNode[]): string {
  return nodes
    .map((node) => {
      const below = outline(node.children);
      return `${node.span.name}${node.missingParent ? "?" : ""}${below === "" ? "" : `(${below})`}`;
    })
    .join(" ");
}

const rows: readonly [name: string, spans: readonly SpanRecord[], expected: string][] = [
  [
    "children stand in order of start, whatever the order of arrival",
    [span("c", "a", 3), span("b", "a", 2), span("a", "", 1)],
    "a(b c)",
  ],
  ["a span that came twice counts once", [span("a", "", 1), span("b", "a", 2), span("b", "a", 2)], "a(b)"],
  ["a span without its parent becomes a root that says so", [span("b", "lost", 2), span("a", "", 1)], "a b?"],
  [
    "spans that are each other's parents are cut at the earliest",
    [span("b", "a", 2), span("a", "b", 1)],
    "a?(b)",
  ],
  ["a span that names itself as parent is kept", [span("a", "a", 1)], "a?"],
  [
    "what hangs below a ring stays below it",
    [span("a", "b", 1), span("b", "a", 2), span("c", "b", 3)],
    "a?(b(c))",
  ],
];

for (const [name, spans, expected] of rows) {
  test(name, (t) => {
    const [trace] = buildTraces(spans);
    t.equal(outline(trace?.roots ?? []), expected);
    t.end();
  });
}

test("traces are kept apart, counted and dated", (t) => {
  const other = "11f7651916cd43dd8448eb211c80319c";
  const failed = { error: true, message: "no" };
  const traces = buildTraces([
    span("x", "", 50, { traceId: other }),
    span("b", "lost", 20, { status: failed, service: "agent" }),
    span("a", "", 10),
  ]);
  t.same(
    traces.map(({ traceId: id, spanCount, errorCount, missingParentCount, services, startNs, endNs }) => [
      id.slice(0, 2),
      spanCount,
      errorCount,
      missingParentCount,
      services.join("+"),
      startNs,
      endNs,
    ]),
    [
      ["0a", 2, 1, 1, "test+agent", 10n, 30n],
      ["11", 1, 0, 0, "test", 50n, 60n],
    ],
  );
  t.end();
});

test("no spans make no traces", (t) => {
  t.same(buildTraces([]), []);
  t.end();
});
