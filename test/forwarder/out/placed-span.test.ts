import t from "tap";
import { spansWithIds } from "../../../src/forwarder/out/placed-span.ts";
import { ExportTraceServiceRequest } from "../../../src/gen/otlp.ts";
import { encodeMessage } from "../../../src/wire/protobuf-encode.ts";

const good = { trace_id: new Uint8Array(16).fill(1), span_id: new Uint8Array(8).fill(2) };
const exported = (...spans: object[]) => ({
  body: encodeMessage(ExportTraceServiceRequest, { resource_spans: [{ scope_spans: [{ spans }] }] }),
  spans: spans.length,
  origin: "o",
});

t.test("spans without proper ids are left out and counted", async (t) => {
  const { spans, rejected } = spansWithIds([
    exported(
      { ...good, name: "fine" },
      { ...good, name: "no trace", trace_id: new Uint8Array(16) },
      { ...good, name: "no id", span_id: new Uint8Array(8) },
    ),
    exported(
      { ...good, name: "short", span_id: new Uint8Array(7).fill(1) },
      { ...good, name: "absent", trace_id: new Uint8Array(0) },
      { ...good, name: "fine as well" },
    ),
  ]);
  t.same(
    spans.map(({ span }) => span.name),
    ["fine", "fine as well"],
  );
  t.equal(rejected, 4);
});
