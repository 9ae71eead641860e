import { test } from "tap";
import { RecentTraces } from "../../../src/forwarder/ui/recent-traces.ts";
import { parseOtlpLine } from "../../../src/view/otlp-json.ts";
import { spanParts } from "../../../src/view/otlp-parts.ts";
import { podTrace, podTraceId } from "../../fakes/pod-trace.ts";

const line = (number: number, checks = 0) => JSON.stringify(podTrace({ number, checks }));

test("a trace that was noted comes back whole, with its resources", async (t) => {
  const traces = new RecentTraces();
  traces.add(line(1, 3));
  const { spans, problems } = parseOtlpLine(traces.trace(podTraceId(1)) ?? "");
  t.strictSame(problems, []);
  t.strictSame(
    spans.map(({ service, name }) => `${service} ${name}`),
    parseOtlpLine(line(1, 3)).spans.map(({ service, name }) => `${service} ${name}`),
  );
  t.equal(traces.trace(podTraceId(2)), undefined);
});

test("an export keeps the scopes", async (t) => {
  const scope = { name: "katatrace", version: "1" };
  const spans = ["1", "2"].map((digit) => ({
    traceId: "ab".repeat(16),
    spanId: digit.repeat(16),
    name: digit,
  }));
  const resource = { attributes: [] };
  const [first, second] = spans.map((span) => ({ resource, scopeSpans: [{ scope, spans: [span] }] }));
  const traces = new RecentTraces();
  traces.add(JSON.stringify({ resourceSpans: [first] }));
  traces.add(JSON.stringify({ resourceSpans: [second] }));
  t.strictSame(JSON.parse(traces.trace("ab".repeat(16)) ?? ""), {
    resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }],
  });
});

test("resources take room, too, and each once", async (t) => {
  const traces = new RecentTraces(40_000);
  const value = { stringValue: "x".repeat(4000) };
  const span = (digits: string) => ({ traceId: "ab".repeat(16), spanId: digits.padStart(16, "0") });
  const add = (key: string, id: number) =>
    traces.add(
      JSON.stringify({
        resourceSpans: [
          { resource: { attributes: [{ key, value }] }, scopeSpans: [{ spans: [span(String(id))] }] },
        ],
      }),
    );
  for (let id = 1; id <= 10; id++) add("same", id);
  const spansIn = () => spanParts(traces.trace("ab".repeat(16)) ?? "")?.length;
  t.equal(spansIn(), 10);
  for (let id = 11; id <= 20; id++) add(`other ${id}`, id);
  t.equal(spansIn(), 11, "a quarter of the room has one more");
});

test("a span that comes twice counts once, and spans of one trace may come apart", async (t) => {
  const traces = new RecentTraces();
  traces.add(line(1));
  traces.add(line(1));
  traces.add(line(1, 2));
  t.match(traces.list(), { version: 3, traces: [{ spanCount: 5 }] });
});

test("what is no span changes nothing", async (t) => {
  const traces = new RecentTraces();
  for (const bad of ["", "{", "null", "[]", '{"resourceSpans":[null,{"scopeSpans":[{"spans":[{}, 7]}]}]}'])
    traces.add(bad);
  t.strictSame(traces.list(), { version: 1, traces: [], forgotten: 0 });
});

test("the trace that has been quiet the longest makes room for a new one", async (t) => {
  const one = 2 * line(1, 5).length;
  const traces = new RecentTraces(one * 4);
  for (const number of [1, 2, 3]) traces.add(line(number, 5));
  traces.add(line(1, 6));
  for (const number of [4, 5, 6, 7, 8]) traces.add(line(number, 5));
  const { traces: left, forgotten } = traces.list();
  t.ok(forgotten > 0);
  t.equal(left.length + forgotten, 8);
  t.equal(traces.trace(podTraceId(2)), undefined);
  t.ok(traces.trace(podTraceId(8)));
});

test("one trace cannot take all the room", async (t) => {
  const traces = new RecentTraces(40_000);
  traces.add(line(1, 1));
  traces.add(line(2, 5000));
  t.ok(traces.trace(podTraceId(1)));
  t.ok((traces.trace(podTraceId(2)) ?? "").length < 20_000);
});

test("watchers hear of a change until they leave", async (t) => {
  const traces = new RecentTraces();
  let heard = 0;
  const leave = traces.watch(() => {
    heard += 1;
  });
  traces.add(line(1));
  leave();
  traces.add(line(2));
  t.equal(heard, 1);
});
