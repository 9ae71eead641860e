import { test } from "tap";
import { parseOtlpLine } from "../../src/view/otlp-json.ts";

const good = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "00f067aa0ba902b7",
  name: "work",
  startTimeUnixNano: "10",
  endTimeUnixNano: 20,
};
const line = (span: object) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });

test("attributes keep their kinds, integers stay exact, arrays become text", (t) => {
  const attributes = [
    { key: "s", value: { stringValue: "x" } },
    { key: "b", value: { boolValue: false } },
    { key: "i", value: { intValue: "9007199254740993" } },
    { key: "d", value: { doubleValue: 0.5 } },
    { key: "a", value: { arrayValue: { values: [{ stringValue: "y" }] } } },
    { key: "n" },
  ];
  const [span] = parseOtlpLine(line({ ...good, attributes })).spans;
  t.same(
    [...(span?.attributes ?? [])],
    [
      ["s", "x"],
      ["b", false],
      ["i", 9007199254740993n],
      ["d", 0.5],
      ["a", '{"arrayValue":{"values":[{"stringValue":"y"}]}}'],
      ["n", ""],
    ],
  );
  t.equal(span?.startNs, 10n);
  t.equal(span?.endNs, 20n);
  t.equal(span?.service, "unknown");
  t.end();
});

const bad: readonly [what: string, text: string, problem: RegExp | undefined][] = [
  ["a blank line", "  ", undefined],
  ["half a line", line(good).slice(0, 40), /not an OTLP/],
  ["JSON that is something else", "[1,2]", /not an OTLP/],
  ["null", "null", /not an OTLP/],
  ["an id of zeros", line({ ...good, spanId: "0".repeat(16) }), /without valid ids/],
  ["an id in base64", line({ ...good, traceId: "CvdlGRbNQ92ESOshHIAxnA==" }), /without valid ids/],
  ["a negative time", line({ ...good, startTimeUnixNano: -1 }), /without valid times/],
  ["no times", line({ ...good, endTimeUnixNano: undefined }), /without valid times/],
];
for (const [what, text, problem] of bad) {
  test(`${what} gives no span${problem === undefined ? "" : " and a problem"}`, (t) => {
    const parsed = parseOtlpLine(text);
    t.same(parsed.spans, []);
    t.equal(parsed.problems.length, problem === undefined ? 0 : 1);
    if (problem !== undefined) t.match(parsed.problems[0], problem);
    t.end();
  });
}

test("shapes that are wrong anywhere else are passed over", (t) => {
  const odd = {
    ...good,
    attributes: "x",
    links: [{}],
    events: [1],
    status: 5,
    kind: "SERVER",
    parentSpanId: 7,
  };
  t.match(parseOtlpLine(line(odd)).spans, [{ parentSpanId: "", kind: 0, links: [], events: [{ name: "" }] }]);
  t.end();
});
