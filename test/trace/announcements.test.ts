import t from "tap";
import { span, startSpan } from "../../src/trace/span.ts";
import { attributesOf, Collector, decodeRequest, spansOf } from "../fakes/collector.ts";
import { socketPath, traced, tracingTo } from "./traced.ts";

type Posts = Collector["kata"];
const openSpansOf = (posts: Posts) =>
  posts.filter(({ path }) => path === "/v1/kata/open-spans").map(({ body }) => spansOf(decodeRequest(body)));
const announced = (posts: Posts) => openSpansOf(posts).flat();

/** Tracing to a receiver that knows our own words, as the forwarder does. */
async function tracedByForwarder(t: Parameters<typeof traced>[0]) {
  const path = socketPath(t);
  const collector = new Collector();
  collector.speaksKata = true;
  await collector.listen(path);
  t.teardown(() => collector.close());
  const { tracing, lines } = await tracingTo(t, path);
  return { path, collector, tracing, lines };
}

t.test("the root is announced before the first batch, open and without an end", async (t) => {
  const { collector, tracing } = await tracedByForwarder(t);
  await span("work", {}, async () => {});
  await tracing.flush(60_000);
  const [root] = announced(collector.kata);
  t.equal(root?.name, "sandbox");
  t.equal(Number(root?.endTimeUnixNano ?? 0), 0);
  t.match(await tracing.shutdown(), { complete: true, sent: 2 });
  const final = collector.spans.find(({ name }) => name === "sandbox");
  t.equal(final?.spanId, root?.spanId);
  t.equal(collector.headers.at(-1)?.["kata-ended"], root?.spanId, "the final span is told in the head");
});

t.test("a span that stays open is announced, again when it changes, and a short one never", async (t) => {
  const { collector, tracing } = await tracedByForwarder(t);
  const open = startSpan("parked", { "container.id": "c1" });
  await span("short", {}, async () => {});
  await collector.until(() => announced(collector.kata).some(({ name }) => name === "parked"));
  open.set({ "kata.count": 7 });
  const latest = () => announced(collector.kata).findLast(({ name }) => name === "parked");
  await collector.until(() => attributesOf(latest() ?? {})["kata.count"] === 7);
  t.match(attributesOf(latest() ?? {}), { "container.id": "c1", "kata.count": 7 });
  open.end();
  await tracing.shutdown();
  t.notOk(announced(collector.kata).some(({ name }) => name === "short"));
  const ended = collector.headers.flatMap((head) => String(head["kata-ended"] ?? "").split(","));
  t.ok(ended.includes(latest()?.spanId ?? "none"));
  t.equal(collector.kata.at(-1)?.path, "/v1/kata/goodbye", "the last word");
  t.equal(collector.spans.filter(({ name }) => name === "parked").length, 1);
});

t.test("a collector that knows no such words is asked once, and sees each span once", async (t) => {
  const { collector, tracing, finish } = await traced(t);
  const open = startSpan("parked", {});
  for (let i = 0; i < 3; i++) {
    await span(`work ${i}`, {}, async () => {});
    await tracing.flush(60_000);
  }
  open.end();
  const { report } = await finish();
  t.match(report, { complete: true, sent: 5 });
  t.equal(collector.kata.length, 1, "no goodbye either");
  t.equal(new Set(collector.spans.map(({ spanId }) => spanId)).size, collector.spans.length);
});

t.test("a receiver that comes back while the guest is idle is told all that is open", async (t) => {
  const { path, collector, tracing } = await tracedByForwarder(t);
  const open = startSpan("parked", {});
  await collector.until(() => announced(collector.kata).some(({ name }) => name === "parked"));
  await collector.close();
  const second = new Collector();
  second.speaksKata = true;
  await second.listen(path);
  t.teardown(() => second.close());
  await second.until(() => announced(second.kata).length >= 2);
  t.same(
    announced(second.kata)
      .map(({ name }) => name)
      .sort(),
    ["parked", "sandbox"],
  );
  open.end();
  t.match(await tracing.shutdown(), { complete: true });
});

t.test("every request is numbered, and a repeat keeps number and bytes", async (t) => {
  const { collector, tracing } = await tracedByForwarder(t);
  const { answer } = collector;
  collector.answer = (request) => {
    collector.answer = answer;
    request.socket.destroy();
  };
  await span("work", {}, async () => {});
  await tracing.shutdown(60_000);
  const [first, second, last] = collector.headers.map((head) => String(head["kata-batch"]));
  t.equal(first, second);
  t.same(collector.bodies[0], collector.bodies[1]);
  t.not(last, second);
  const instance = attributesOf(
    decodeRequest(collector.bodies[0] as Buffer).resourceSpans[0]?.resource ?? {},
  )["service.instance.id"];
  const all = [...collector.kata.map(({ headers }) => headers), ...collector.headers];
  t.ok(all.every((head) => String(head["kata-batch"]).startsWith(`${instance}-`)));
  t.ok(all.every((head) => /^\d{19}$/.test(String(head["kata-clock"]))));
});

t.test("nothing with a higher number overtakes a request that has to be sent again", async (t) => {
  const { collector, tracing } = await tracedByForwarder(t);
  const { answer } = collector;
  for (let round = 0; round < 3; round++) {
    collector.answer = (request) => {
      collector.answer = answer;
      request.socket.destroy();
    };
    await span(`work ${round}`, {}, async () => {});
    t.equal(await tracing.flush(60_000), true);
  }
  await collector.until(() => openSpansOf(collector.kata).length === 4);
  await tracing.shutdown(60_000);
  t.same(
    collector.numbers,
    collector.numbers.toSorted((a, b) => a - b),
    "the receiver would take the repeat for one that it has had",
  );
});

t.test("losses are told by cause on the next request", async (t) => {
  const path = socketPath(t);
  const { tracing } = await tracingTo(t, path, { maxQueuedSpans: 50, maxQueuedBytes: 1 });
  for (let i = 0; i < 500; i++) await span("work", {}, async () => {});
  const { droppedBy } = tracing.report();
  t.ok(droppedBy["queue-full"] > 0);
  const collector = new Collector();
  await collector.listen(path);
  t.teardown(() => collector.close());
  await tracing.flush(60_000);
  const resource = decodeRequest(collector.bodies[0] as Buffer).resourceSpans[0]?.resource;
  t.match(attributesOf(resource ?? {}), { "kata.dropped.queue_full": droppedBy["queue-full"] });
});

t.test("no more spans wait than the limit, whatever form they have", async (t) => {
  const { tracing } = await tracingTo(t, socketPath(t), { maxPendingSpans: 300 });
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 100; i++) await span("work", {}, async () => {});
    await tracing.flush(10);
  }
  const { droppedBy } = tracing.report();
  t.equal(droppedBy["queue-full"], 700);
});
