import { test } from "tap";
import { withTraceEnvironment } from "../../src/trace/trace-environment.ts";

test("a process is told of its span unless it has a context already", async (t) => {
  const trace = ["TRACEPARENT=00-a-b-01", "BAGGAGE=k=v"];
  t.same(withTraceEnvironment(["PATH=/bin"], trace), ["PATH=/bin", ...trace]);
  t.same(withTraceEnvironment(["PATH=/bin"], []), ["PATH=/bin"]);
  for (const own of ["TRACEPARENT=", "TRACESTATE=x", "BAGGAGE=y"])
    t.same(withTraceEnvironment([own], trace), [own], "never mixed with another's");
});
