import t from "tap";
import { HostClock } from "../../src/trace/host-clock.ts";
import { span, startSpan } from "../../src/trace/span.ts";
import { attributesOf, Collector, decodeRequest } from "../fakes/collector.ts";
import { socketPath, tracingTo } from "./traced.ts";

const hostMs = 1_795_264_513_000;
const told = (ms: number) => `${BigInt(Math.round(ms * 1000))}000`;

t.test("the middle of the round trip is where the host's time is taken to be", (t) => {
  const clock = new HostClock();
  t.equal(clock.offsetNs(0), undefined);
  clock.sample(told(hostMs), 100, 102);
  t.equal(clock.offsetNs(hostMs - 101 - 5), 5_000_000);
  t.end();
});

t.test("a shorter round trip counts, a longer one does not, until the short one is old", (t) => {
  const clock = new HostClock();
  clock.sample(told(hostMs + 1), 100, 110);
  clock.sample(told(hostMs), 100, 101);
  const exact = clock.offsetNs(0);
  clock.sample(told(hostMs + 2), 100, 108);
  t.equal(clock.offsetNs(0), exact);
  clock.sample(told(hostMs + 100_004), 100_100, 100_108);
  t.not(clock.offsetNs(0), exact);
  t.end();
});

t.test("a host whose clock was set is believed at once", (t) => {
  const clock = new HostClock();
  clock.sample(told(hostMs), 100, 101);
  clock.sample(told(hostMs + 60_000), 110, 120);
  t.equal(clock.offsetNs(hostMs), 59_885_000_000);
  t.end();
});

t.test("what is no time is passed over", (t) => {
  const clock = new HostClock();
  for (const text of [undefined, "", "soon", "-5", "1e18", "1".repeat(40)]) clock.sample(text, 1, 2);
  t.equal(clock.offsetNs(0), undefined);
  t.end();
});

t.test("the resource tells the distance; a span from before the clock was set tells its own", async (t) => {
  const path = socketPath(t);
  const collector = new Collector();
  collector.speaksKata = true;
  await collector.listen(path);
  t.teardown(() => collector.close());
  const { tracing } = await tracingTo(t, path);
  const old = startSpan("old", {});
  await span("before", {}, async () => {});
  await tracing.flush(60_000);
  // The clock of this machine is not touched: to the code, `Date.now` is the clock.
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  Date.now = () => now() + 3_600_000;
  const handle = tracing.interceptor(async () => ({}));
  const { callOf } = await import("./traced.ts");
  await handle(callOf({}, [], { receivedAtMs: performance.now() + 200 }));
  old.end();
  await tracing.shutdown(60_000);
  const offsets = collector.bodies.flatMap((body) =>
    decodeRequest(body).resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map((each) => {
          const given = { ...attributesOf(resource), ...attributesOf(each) };
          return [each.name, Number(given["kata.clock.offset_ns"]) / 1e9] as const;
        }),
      ),
    ),
  );
  const offset = new Map(offsets);
  const near = (name: string, seconds: number) =>
    t.ok(Math.abs((offset.get(name) ?? Number.NaN) - seconds) < 5, `${name}: ${offset.get(name)}`);
  near("before", 0);
  near("grpc.Health/Check", -3600);
  near("old", 0);
  near("sandbox", 0);
});
