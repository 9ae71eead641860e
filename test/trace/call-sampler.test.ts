import t from "tap";
import { allMethods, type MethodDescriptor } from "../../src/gen/methods.ts";
import { CallSampler } from "../../src/trace/call-sampler.ts";
import { span } from "../../src/trace/span.ts";
import { formatRules, fullSettings, parseRules, type TraceSettings } from "../../src/trace/trace-settings.ts";
import { callOf, traced } from "./traced.ts";

const byName = (name: string) => allMethods.find((method) => method.name === name) as MethodDescriptor;
const with_ = (change: Partial<TraceSettings>) => new CallSampler({ ...fullSettings, ...change });
const rules = (text: string) => parseRules(text) ?? [];

t.test("by default every call is taken but those that begin a trace", (t) => {
  const sampler = with_({});
  const left = allMethods.filter((method) => !sampler.takes(method, undefined));
  t.same(left.map(({ path }) => path).sort(), [
    "grpc.AgentService/StartTracing",
    "kata.trace.v1.TraceControl/Start",
  ]);
  t.end();
});

t.test("health and stream I/O are taken at the most detailed level only", (t) => {
  for (const level of ["info", "debug"] as const) {
    const sampler = with_({ level });
    for (const name of ["Check", "Version", "ReadStdout", "ReadStderr", "WriteStdin", "GetOOMEvent"])
      t.equal(sampler.takes(byName(name), true), false, name);
    t.equal(sampler.takes(byName("CreateContainer"), undefined), true);
    t.equal(sampler.steps, level === "debug");
  }
  t.equal(with_({ level: "warn" }).takes(byName("CreateContainer"), true), false);
  t.end();
});

t.test("without a caller's decision a share is taken; at 0 only what a caller sampled", (t) => {
  const none = with_({ samplingPerMillion: 0 });
  const method = byName("StatsContainer");
  t.notOk(Array.from({ length: 1000 }, () => none.takes(method, undefined)).includes(true));
  t.notOk(none.takes(method, false));
  t.ok(none.takes(method, true));
  const half = with_({ samplingPerMillion: 500_000 });
  const taken = Array.from({ length: 4000 }, () => half.takes(method, undefined)).filter(Boolean).length;
  t.ok(taken > 1000 && taken < 3000, String(taken));
  t.end();
});

t.test("a caller that did not sample decides for a collated call, not for an isolated one", (t) => {
  t.equal(with_({ type: "collated" }).takes(byName("Check"), false), false);
  t.equal(with_({ type: "isolated" }).takes(byName("Check"), false), true);
  t.end();
});

t.test("the first rule that matches counts: names, full names, any text", (t) => {
  const sampler = with_({
    samplingPerMillion: 0,
    rules: rules("Check:off,Read*:1000000,grpc.AgentService/*Container:1000000,*Sandbox*:1000000"),
  });
  const takes = (name: string) => sampler.takes(byName(name), undefined);
  for (const name of ["ReadStdout", "ReadStderr", "CreateContainer", "PauseContainer", "DestroySandbox"])
    t.equal(takes(name), true, name);
  for (const name of ["Check", "Version", "WaitProcess"]) t.equal(takes(name), false, name);
  t.equal(sampler.takes(byName("Check"), true), false, "off is off for every caller");
  t.equal(sampler.takes(byName("Version"), true), true);
  t.end();
});

t.test("rules are read as they are written, and nothing else is one", (t) => {
  for (const text of ["", "Check:off", "Read*:10,grpc.Health/*:0"]) t.equal(formatRules(rules(text)), text);
  for (const text of ["Check", ":off", "a:1000001", "a:-1", "a b:1", "a:1,,b:2", "a:1;", "x:off,".repeat(70)])
    t.equal(parseRules(text), undefined, text);
  t.end();
});

t.test("what is not taken has no span, nor has anything within, and the answer is the same", async (t) => {
  const { tracing, finish } = await traced(t);
  tracing.configure({ ...fullSettings, rules: rules("Check:off") });
  const handle = tracing.interceptor(() =>
    span("inner", {}, (inner) => span("innermost", {}, async () => ({ deep: 1 }), inner)),
  );
  t.same(await handle(callOf()), { deep: 1 });
  tracing.configure({ ...fullSettings, level: "info" });
  await handle(callOf({}, [], { method: byName("GetGuestDetails") }));
  const { spans } = await finish();
  t.same(spans.map(({ name }) => name).sort(), ["grpc.AgentService/GetGuestDetails", "sandbox"]);
});
