import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Test, test } from "tap";
import { ByteQuota } from "../../src/agent/byte-quota.ts";
import { serveRelay } from "../../src/agent/relay-server.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Relayed } from "../../src/trace/relayed.ts";
import { temporaryFolder } from "../forwarder/running.ts";

async function relay(t: Test, room = true) {
  const path = join(temporaryFolder(t), "r.sock");
  const got: Relayed[] = [];
  const counts: string[] = [];
  const forward = (relayed: Relayed) => {
    if (room) got.push(relayed);
    return room;
  };
  const count = (result: string) => counts.push(result);
  // The quota's clock stands still: what a slow machine needs for the requests gives nothing back.
  const server = await serveRelay(path, { forward, count, log: silentLog, nowMs: () => 0 });
  t.teardown(() => server.close());
  const post = (
    body: Uint8Array,
    headers: Record<string, string> = {},
    url = "/v1/traces",
    method = "POST",
  ) =>
    new Promise<number | undefined>((resolve) => {
      const type = { "content-type": "application/x-protobuf" };
      const sent = request({ socketPath: path, path: url, method, headers: { ...type, ...headers } });
      sent.on("response", (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on("error", () => resolve(undefined));
      sent.end(body);
    });
  return { post, got, counts };
}

test("a relay passes bytes on as they came", async (t) => {
  const { post, got, counts } = await relay(t);
  t.equal(await post(Buffer.from("abc")), 200);
  t.equal(
    await post(gzipSync("{}"), {
      "content-type": "application/json; charset=utf-8",
      "content-encoding": "gzip",
    }),
    200,
  );
  t.match(got, [
    { contentType: "application/x-protobuf", contentEncoding: undefined, bytes: Buffer.from("abc") },
    { contentType: "application/json", contentEncoding: "gzip" },
  ]);
  got[0]?.ended(true);
  got[1]?.ended(false);
  t.same(counts, ["taken", "taken", "delivered", "lost"]);
});

test("what is no OTLP request, or too long, is refused and counted", async (t) => {
  const { post, got, counts } = await relay(t);
  t.equal(await post(Buffer.from("x"), {}, "/v1/metrics"), 404);
  t.equal(await post(Buffer.alloc(0), {}, "/v1/traces", "GET"), 405);
  t.equal(await post(Buffer.from("x"), { "content-type": "text/plain" }), 415);
  t.equal(await post(Buffer.from("x"), { "content-encoding": "br" }), 415);
  const long = await post(Buffer.alloc(1024 * 1024 + 1));
  t.ok(long === 413 || long === undefined, `${long}`);
  t.same(got, []);
  t.same(counts, ["refused", "refused", "refused", "refused", "refused"]);
});

test("a container that sends more than its quota is told to come later", async (t) => {
  const { post, got, counts } = await relay(t);
  const answers: (number | undefined)[] = [];
  for (let n = 0; n < 4; n++) answers.push(await post(Buffer.alloc(1024 * 1024)));
  t.ok(answers.includes(429), `${answers}`);
  t.equal(answers.filter((status) => status === 200).length, got.length);
  t.equal(counts.filter((result) => result === "over-quota").length, 4 - got.length);
});

test("requests without a body cost their part of the quota too", async (t) => {
  const { post, got } = await relay(t);
  const status = new Set<number | undefined>();
  for (let n = 0; n < 4_000 && !status.has(429); n++) status.add(await post(Buffer.alloc(0)));
  t.ok(status.has(429), [...status].join());
  t.ok(got.length < 4_000, `${got.length}`);
});

test("what was not taken ends its connection, with all that waits on it", async (t) => {
  const path = join(temporaryFolder(t), "r.sock");
  const counts: string[] = [];
  const first = Promise.withResolvers<void>();
  const count = (result: string) => {
    counts.push(result);
    first.resolve();
  };
  const server = await serveRelay(path, { forward: () => true, count, log: silentLog });
  t.teardown(() => server.close());
  const socket = connect(path);
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk) => {
    answer += chunk;
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // What it never read makes the kernel say so.
  socket.on("error", () => undefined);
  socket.write("GET /other HTTP/1.1\r\nhost: x\r\n\r\n");
  await first.promise;
  socket.write("GET /other HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000));
  await closed;
  t.match(answer, /^HTTP\/1.1 404 .*connection: close/is);
  t.same(counts, ["refused"]);
});

test("without room, or without tracing, the answer is 503", async (t) => {
  const { post, counts } = await relay(t, false);
  t.equal(await post(Buffer.from("x")), 503);
  t.same(counts, ["no-room"]);
});

test("a quota comes back with time, up to what may be taken at once", async (t) => {
  let nowMs = 0;
  const quota = new ByteQuota({ bytesPerSecond: 1000, burstBytes: 100 }, () => nowMs);
  t.ok(quota.take(100));
  t.notOk(quota.take(1));
  nowMs += 50;
  t.notOk(quota.take(51));
  t.ok(quota.take(50));
  nowMs += 10_000;
  t.notOk(quota.take(101));
  t.ok(quota.take(100));
});
