import t from "tap";
import type { Export } from "../../src/forwarder/export.ts";
import { Metrics } from "../../src/forwarder/metrics.ts";
import { TailSampler } from "../../src/forwarder/tail-sampler.ts";
import { ExportTraceServiceRequest } from "../../src/gen/otlp.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";
import { until } from "../fakes/until.ts";

/** More groups than a sampler remembers. */
const tooManyGroups = 16_384;

function exported(origin: string, traces: readonly number[], failed = false): Export {
  const spans = traces.map((trace) => ({
    trace_id: new Uint8Array(16).fill(trace),
    span_id: new Uint8Array(8).fill(1),
    name: "n",
    status: failed ? { code: 2 } : undefined,
  }));
  const body = encodeMessage(ExportTraceServiceRequest, { resource_spans: [{ scope_spans: [{ spans }] }] });
  return { body, spans: spans.length, origin };
}

/** A sampler that keeps nothing but what failed, and hands on as the test says. */
function sampler(holdMs = 60_000) {
  const metrics = new Metrics();
  const waiting: PromiseWithResolvers<void>[] = [];
  const deliver = (): Promise<void> => {
    const answer = Promise.withResolvers<void>();
    waiting.push(answer);
    return answer.promise;
  };
  const rules = {
    keepOneIn: 1_000_003,
    slowMs: 1000,
    slowMsByName: new Map(),
    holdMs,
    maxBytes: 100_000_000,
  };
  return { sampler: new TailSampler(rules, deliver, metrics), metrics, waiting };
}

const dropped = (reason: string, spans: number): RegExp =>
  new RegExp(`spans_dropped_total\\{backend="all",reason="${reason}"\\} ${spans}$`, "m");

t.test("what cannot be handed on when its group is forgotten is counted, and holds no memory", async (t) => {
  const { sampler: sampling, metrics, waiting } = sampler();
  await sampling.take(exported("sandbox:a", [1]));
  const failing = sampling.take(exported("sandbox:a", [1], true));
  for (let i = 0; i < tooManyGroups; i++) await sampling.take({ ...exported(`sandbox:${i}`, []), spans: 0 });
  const before = sampling.heldBytes;
  waiting[0]?.reject(new Error("no room"));
  await t.rejects(failing, /no room/);
  t.equal(sampling.heldBytes, before);
  t.match(await metrics.text(), dropped("queue-full", 1));
  sampling.close();
  t.equal(sampling.heldBytes, 0);
});

t.test("what could not be handed on is tried again, though its guest says nothing more", async (t) => {
  const { sampler: sampling, waiting } = sampler(1);
  await sampling.take(exported("sandbox:a", [1]));
  const failing = sampling.take(exported("sandbox:a", [1], true));
  waiting[0]?.reject(new Error("no room"));
  await t.rejects(failing, /no room/);
  t.ok(sampling.heldBytes > 0, "it waits");
  // Its timer keeps nobody alive.
  await until("another try", () => waiting.length === 2);
  waiting[1]?.resolve();
  await until("nothing to wait", () => sampling.heldBytes === 0);
  sampling.close();
});

t.test("what a closed sampler would hold is counted as dropped", async (t) => {
  const { sampler: sampling, metrics, waiting } = sampler();
  await sampling.take(exported("sandbox:a", [1]));
  // Two traces of the host: the first is the guest's, which has failed, the second is a group of its own.
  const guest = sampling.take(exported("sandbox:a", [1], true));
  waiting[0]?.resolve();
  await until("what waited is handed on", () => waiting.length === 2);
  waiting[1]?.resolve();
  await guest;
  const host = sampling.take(exported("tcp:127.0.0.1", [1, 2]));
  await until("the first part", () => waiting.length === 3);
  sampling.close();
  waiting[2]?.resolve();
  await host;
  t.equal(sampling.heldBytes, 0);
  t.match(await metrics.text(), dropped("sampled", 1));
});

t.test("what a kept group still holds at the end is counted", async (t) => {
  const { sampler: sampling, metrics, waiting } = sampler();
  await sampling.take(exported("sandbox:a", [1]));
  const failing = sampling.take(exported("sandbox:a", [1], true));
  waiting[0]?.reject(new Error("no room"));
  await t.rejects(failing, /no room/);
  sampling.close();
  sampling.close();
  t.equal(sampling.heldBytes, 0);
  t.match(await metrics.text(), dropped("queue-full", 1));
});
