import { createServer } from "node:net";
import t from "tap";
import { span, startSpan } from "../../src/trace/span.ts";
import { Collector } from "../fakes/collector.ts";
import { callOf, keptLog, socketPath, traced, tracingTo } from "./traced.ts";

const make = async (count: number, name = "work") => {
  for (let i = 0; i < count; i++) await span(`${name} ${i}`, {}, async () => {});
};
const warnings = (lines: readonly string[]) => lines.filter((line) => line.startsWith("warn"));

t.test("spans of one life travel over one connection, batch after batch", async (t) => {
  const { tracing, collector, finish } = await traced(t);
  for (let i = 0; i < 5; i++) {
    await make(10, `round ${i}`);
    t.equal(await tracing.flush(60_000), true);
  }
  const { report } = await finish();
  t.match(report, { sent: 51, dropped: 0, complete: true });
  t.equal(collector.connections, 1);
  t.ok(collector.bodies.length >= 5);
});

t.test("a finished span leaves by itself, without anybody asking", async (t) => {
  const { collector } = await traced(t);
  await make(1);
  await collector.until(() => collector.spans.length === 1);
});

t.test("with nobody listening calls go on, one warning is given, and the loss is counted", async (t) => {
  const { tracing, lines } = await tracingTo(t, socketPath(t), { maxQueuedSpans: 100, maxQueuedBytes: 1 });
  const handle = tracing.interceptor(async () => ({}));
  for (let i = 0; i < 2000; i++) await handle(callOf());
  t.ok(tracing.report().droppedBy["queue-full"] > 1000);
  const report = await tracing.shutdown(50);
  t.equal(report.sent, 0);
  t.equal(report.dropped, 2001);
  t.equal(report.complete, false);
  t.same(
    warnings(lines).map((line) => line.split(" {")[0]),
    ["warn: span receiver does not answer: spans wait, retrying", "warn: spans lost at the end"],
  );
});

t.test("requests of workloads that hold nothing do not pile up without end", async (t) => {
  const { tracing } = await tracingTo(t, socketPath(t), {});
  const empty = { contentType: "application/json", contentEncoding: undefined, ended: () => {} };
  let kept = 0;
  while (kept < 10_000 && tracing.relay({ ...empty, bytes: new Uint8Array(0) })) kept++;
  t.equal(kept, 4096);
  await tracing.shutdown(50);
});

t.test("a receiver that comes late gets everything that had room, oldest first", async (t) => {
  const path = socketPath(t);
  const { tracing, lines } = await tracingTo(t, path);
  await make(300);
  t.equal(await tracing.flush(30), false);
  const collector = new Collector();
  await collector.listen(path);
  t.teardown(() => collector.close());
  const report = await tracing.shutdown(60_000);
  t.match(report, { sent: 301, dropped: 0, complete: true });
  t.equal(collector.spans[0]?.name, "work 0");
  t.match(lines, [
    "warn: span receiver does not answer",
    "info: span receiver answers again: no span was lost",
  ]);
});

t.test("the loss of an outage is told once, with the number, when it is over", async (t) => {
  const path = socketPath(t);
  const { tracing, lines } = await tracingTo(t, path, { maxQueuedSpans: 50, maxQueuedBytes: 1 });
  await make(500);
  const { dropped } = tracing.report();
  t.ok(dropped > 0);
  const collector = new Collector();
  await collector.listen(path);
  t.teardown(() => collector.close());
  await tracing.flush(60_000);
  t.match(warnings(lines), [
    "warn: span receiver does not answer",
    `warn: span receiver answers again: spans were lost meanwhile {"dropped":${dropped}}`,
  ]);
  const report = await tracing.shutdown();
  t.equal(report.sent + report.dropped, 501);
});

t.test(
  "what ends faster than a slow receiver takes it is lost, and told once it has caught up",
  async (t) => {
    const path = socketPath(t);
    const collector = new Collector();
    const { answer } = collector;
    const held: (() => void)[] = [];
    collector.answer = (...args) => void held.push(() => answer(...args));
    await collector.listen(path);
    t.teardown(() => collector.close());
    const { tracing, lines } = await tracingTo(t, path, { maxQueuedSpans: 50, maxQueuedBytes: 1 });
    await make(500);
    await collector.until(() => held.length === 1);
    const { dropped } = tracing.report();
    t.ok(dropped > 0);
    collector.answer = answer;
    held[0]?.();
    await tracing.flush(60_000);
    t.same(warnings(lines), [
      `warn: span receiver has caught up: spans were lost meanwhile {"dropped":${dropped}}`,
    ]);
  },
);

t.test("after the receiver restarts, the batch it never acknowledged is sent again whole", async (t) => {
  const path = socketPath(t);
  const first = new Collector();
  await first.listen(path);
  const { tracing } = await tracingTo(t, path);
  await make(5, "before");
  t.equal(await tracing.flush(60_000), true);
  first.answer = (request) => request.socket.destroy();
  await make(5, "torn");
  await tracing.flush(20);
  await first.until(() => first.bodies.length >= 2);
  const unacknowledged = first.bodies.at(-1);
  await first.close();
  const second = new Collector();
  await second.listen(path);
  t.teardown(() => second.close());
  await make(5, "after");
  t.match(await tracing.shutdown(60_000), { sent: 16, dropped: 0, complete: true });
  t.same(second.bodies[0], unacknowledged, "the same bytes, so the same ids");
  t.equal(second.spans.length, 11);
});

t.test("a receiver that accepts and never answers does not hold up calls, nor the end", async (t) => {
  const path = socketPath(t);
  const silent = createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => silent.listen(path, resolve));
  t.teardown(() => silent.close());
  const { tracing, lines } = await tracingTo(t, path);
  const handle = tracing.interceptor(async () => ({}));
  for (let i = 0; i < 1000; i++) await handle(callOf());
  const startMs = performance.now();
  const report = await tracing.shutdown(200);
  const tookMs = performance.now() - startMs;
  t.match(report, { sent: 0, dropped: 1001, droppedBy: { shutdown: 1001 }, complete: false });
  t.ok(tookMs >= 190, "it waited for the limit");
  t.match(warnings(lines), ["warn: spans lost at the end"]);
});

t.test("a receiver that is slow holds the end up to its limit and no longer", async (t) => {
  const path = socketPath(t);
  const collector = new Collector();
  const { answer } = collector;
  const held: NodeJS.Timeout[] = [];
  // The first is taken at once, so that something is, however long the rest of the spans take to be made.
  collector.answer = (...args) => {
    answer(...args);
    collector.answer = (_request, response) => void held.push(setTimeout(() => response.end(), 400));
  };
  await collector.listen(path);
  t.teardown(() => collector.close());
  t.teardown(() => held.forEach(clearTimeout));
  const { tracing } = await tracingTo(t, path, { maxQueuedSpans: 20_000 });
  await make(10_000);
  const startMs = performance.now();
  const report = await tracing.shutdown(1000);
  t.comment(`${Math.round(performance.now() - startMs)} ms`);
  t.ok(report.sent > 0, "what was acknowledged counts");
  t.equal(report.sent + report.dropped, 10_001);
  t.equal(report.droppedBy.shutdown, report.dropped);
});

for (const status of [429, 502, 503, 504])
  t.test(`HTTP ${status} is tried again`, async (t) => {
    const { tracing, collector, finish } = await traced(t);
    const { answer } = collector;
    collector.answer = (_request, response) => {
      collector.answer = answer;
      response.writeHead(status, { "retry-after": "0" }).end();
    };
    await make(3);
    await tracing.flush(60_000);
    const { report } = await finish();
    t.match(report, { sent: 4, dropped: 0, complete: true });
    t.same(collector.bodies[0], collector.bodies[1]);
  });

for (const status of [400, 404, 413, 500])
  t.test(`HTTP ${status} is final: the batch is lost and counted, the next one goes out`, async (t) => {
    const { tracing, collector, finish, lines } = await traced(t);
    const { answer } = collector;
    collector.answer = (_request, response) => {
      collector.answer = answer;
      response.writeHead(status).end();
    };
    await make(3);
    await tracing.flush(60_000);
    const { report } = await finish();
    t.match(report, { sent: 1, dropped: 3, droppedBy: { refused: 3 }, complete: false });
    t.match(lines[0], /spans refused by the receiver .*"spans":3/);
  });

t.test(
  "spans that a receiver rejects within a success are counted as refused, and not sent again",
  async (t) => {
    const { tracing, collector, finish } = await traced(t);
    const { answer } = collector;
    collector.answer = (_request, response) => {
      collector.answer = answer;
      response.end(Buffer.from([0x0a, 0x02, 0x08, 0x02]));
    };
    await make(3);
    await tracing.flush(60_000);
    const { report } = await finish();
    t.match(report, { sent: 2, droppedBy: { refused: 2 } });
    t.equal(collector.bodies.length, 2);
  },
);

t.test("an answer that is no HTTP costs the connection, not the spans", async (t) => {
  const { tracing, collector, finish } = await traced(t);
  const { answer } = collector;
  collector.answer = (request) => {
    collector.answer = answer;
    request.socket.write("I am no server\r\n\r\n");
  };
  await make(3);
  await tracing.flush(60_000);
  const { report } = await finish();
  t.match(report, { sent: 4, complete: true });
  t.equal(collector.connections, 2);
});

t.test("a receiver that closes after each answer is connected to again", async (t) => {
  const { tracing, collector, finish } = await traced(t);
  collector.answer = (_request, response) => {
    response.setHeader("connection", "close").end();
  };
  for (let i = 0; i < 3; i++) {
    await make(1);
    t.equal(await tracing.flush(60_000), true);
  }
  const { report } = await finish();
  t.match(report, { sent: 4, complete: true });
  t.equal(collector.connections, 4);
});

t.test("ten thousand spans that wait at the end are out and acknowledged within the limit", async (t) => {
  const path = socketPath(t);
  const { tracing } = await tracingTo(t, path, { maxQueuedSpans: 20_000 });
  await make(10_000);
  const collector = new Collector();
  await collector.listen(path);
  t.teardown(() => collector.close());
  // The default limit, 1 s.
  t.match(await tracing.shutdown(), { sent: 10_001, dropped: 0, complete: true });
  t.equal(collector.spans.length, 10_001);
});

t.test("a second shutdown joins the first, and tracing can be started again", async (t) => {
  const { tracing, finish } = await traced(t);
  const [first, second] = await Promise.all([tracing.shutdown(), tracing.shutdown()]);
  t.equal(first, second);
  await finish();
  const again = await traced(t);
  await make(1);
  t.match((await again.finish()).report, { sent: 2, complete: true });
});

t.test("delivering spans makes none, whatever the connection does", async (t) => {
  const { log } = keptLog();
  const path = socketPath(t);
  const collector = new Collector();
  await collector.listen(path);
  t.teardown(() => collector.close());
  const { dial } = await import("../../src/vsock/dial.ts");
  const connect = () => span("dial", {}, () => dial({ kind: "unix", path }, { timeoutMs: 60_000 }));
  const { tracing } = await tracingTo(t, path, { connect, log });
  await make(1);
  await span("request", {}, () => tracing.flush(60_000));
  await tracing.shutdown();
  t.same(collector.spans.map((each) => each.name).sort(), ["request", "sandbox", "work 0"]);
});

t.test("a flush asks for what had ended before it, not for what ends meanwhile", async (t) => {
  const { tracing, collector } = await traced(t);
  const { answer } = collector;
  collector.answer = (...args) => {
    startSpan("meanwhile", {}).end();
    collector.answer = () => {};
    answer(...args);
  };
  startSpan("before", {}).end();
  t.equal(await tracing.flush(60_000), true);
  t.equal(tracing.report().pending, 1);
  t.equal(await tracing.flush(50), false);
  collector.answer = answer;
});
