import t from "tap";
import { requestOf, spanParts } from "../../src/view/otlp-parts.ts";

const request = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "kata-agent" } }] },
      schemaUrl: "https://example.org/1",
      scopeSpans: [
        { scope: { name: "a" }, schemaUrl: "https://example.org/2", spans: [{ name: "1" }, { name: "2" }] },
        { scope: { name: "b" }, spans: [{ name: "3" }] },
      ],
    },
    { scopeSpans: [{ spans: [{ name: "4" }] }] },
  ],
};

const texts = (line: string) =>
  (spanParts(line) ?? []).map(({ resource, scope, span }) => ({
    resource: JSON.stringify(resource),
    scope: JSON.stringify(scope),
    span: JSON.stringify(span),
  }));

t.test("what is taken apart and put together is the same", async (t) => {
  t.same(JSON.parse(requestOf(texts(JSON.stringify(request)))), request);
});

t.test("spans that come in any order stand below their resource and scope", async (t) => {
  const [one, two, three, four] = texts(JSON.stringify(request));
  const mixed = [one, three, four, two].flatMap((part) => (part === undefined ? [] : [part]));
  t.same(JSON.parse(requestOf(mixed)), request);
});

t.test("what is no request has no parts; what is no span is an empty one", async (t) => {
  for (const bad of ["", "{", "null", "[]", "{}", '{"resourceSpans":{}}']) t.equal(spanParts(bad), undefined);
  t.same(spanParts('{"resourceSpans":[null,{"scopeSpans":[7,{"spans":[7]},{"spans":7}]}]}'), [
    { resource: {}, scope: {}, span: {} },
  ]);
});
