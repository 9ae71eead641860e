import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { silentLog } from "../../../src/base/log.ts";
import { Announcements } from "../../../src/forwarder/in/announcements.ts";
import { ByteRate } from "../../../src/forwarder/in/byte-rate.ts";
import { defaultLimits, type Limits } from "../../../src/forwarder/in/limits.ts";
import { otlpFromJaeger } from "../../../src/forwarder/in/otlp-from-jaeger.ts";
import { otlpFromJson } from "../../../src/forwarder/in/otlp-from-json.ts";
import { Receiver } from "../../../src/forwarder/in/receiver.ts";
import { scanExport } from "../../../src/forwarder/in/scan-export.ts";
import { Metrics } from "../../../src/forwarder/metrics.ts";
import { jsonFromProtobuf } from "../../../src/forwarder/out/otlp-json.ts";
import { placedSpans } from "../../../src/forwarder/out/placed-span.ts";
import { listen } from "../../../src/vsock/listen.ts";
import { Random } from "../../fakes/random.ts";
import { until } from "../../fakes/until.ts";
import { jsonOf, randomSpan } from "../../fakes/upstream-span.ts";
import { jaegerBatch } from "../jaeger-batch.ts";
import { exportOf, post, temporaryFolder } from "../running.ts";
import { tracedPod } from "../traced-pod.ts";

type Host = { paths: string[]; receiver: Receiver; metrics: Metrics; taken: string[] };

/** A receiver with a socket for each of some guests. */
async function host(t: Test, guests: number, limits: Partial<Limits>): Promise<Host> {
  const [taken, paths, metrics, folder] = [[] as string[], [] as string[], new Metrics(), temporaryFolder(t)];
  const deliver = async ({ origin }: { origin: string }) => void taken.push(origin);
  const announcements = new Announcements(deliver, metrics, silentLog);
  const receiver = new Receiver(deliver, announcements, { ...defaultLimits, ...limits }, metrics, silentLog);
  for (let i = 0; i < guests; i++) {
    const path = join(folder, `${i}`);
    const origin = { key: `sandbox:${i}`, isGuest: true, sandboxId: `${i}` };
    const listener = await listen({ kind: "unix", path }, (one) => receiver.accept(one, origin), silentLog);
    t.teardown(() => listener.close());
    paths.push(path);
  }
  t.teardown(() => receiver.close(0));
  return { paths, receiver, metrics, taken };
}

async function connected(t: Test, path: string): Promise<Socket> {
  const socket = connect(path);
  socket.on("error", () => {});
  t.teardown(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

t.test("a guest with too many connections keeps nobody else out", async (t) => {
  const { paths, metrics } = await host(t, 2, { maxConnectionsPerGuest: 3 });
  const [greedy = "", other = ""] = paths;
  const open = [];
  for (let i = 0; i < 3; i++) open.push(await connected(t, greedy));
  const fourth = await connected(t, greedy);
  await new Promise((resolve) => fourth.resume().once("close", resolve));
  t.equal((await post(other, exportOf("fine"))).status, 200);
  t.match(await metrics.text(), /connections_refused_total 1/);
});

t.test("a guest that holds its share of memory is refused, the others are not", async (t) => {
  const { paths, receiver } = await host(t, 2, { maxHeldBytesPerGuest: 64 * 1024 });
  const [greedy = "", other = ""] = paths;
  const slow = await connected(t, greedy);
  slow.write(Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]), Buffer.alloc(50 * 1024)]));
  await until("the frame's first part", () => receiver.guests.heldBytes >= 50 * 1024);
  t.equal((await post(greedy, Buffer.alloc(40 * 1024, exportOf("x")))).status, 503);
  t.equal(
    (await post(other, Buffer.alloc(40 * 1024 - ((40 * 1024) % exportOf("x").length), exportOf("x")))).status,
    200,
  );
  slow.destroy();
});

t.test(
  "a frame that is longer than a guest's share ends its connection and gives everything back",
  async (t) => {
    const { paths, receiver, metrics } = await host(t, 1, { maxHeldBytesPerGuest: 64 * 1024 });
    const socket = await connected(t, paths[0] as string);
    socket.write(Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]), Buffer.alloc(256 * 1024)]));
    await new Promise((resolve) => socket.resume().once("close", resolve));
    t.equal(receiver.guests.heldBytes, 0);
    t.match(await metrics.text(), /requests_refused_total\{encoding="upstream-json",status="503"\} 1/);
  },
);

t.test("what arrives over gRPC counts while it arrives, and is given back", async (t) => {
  const { paths, receiver, metrics, taken } = await host(t, 1, { maxHeldBytesPerGuest: 64 * 1024 });
  const session = connectHttp2("http://guest", { createConnection: () => connect(paths[0] as string) });
  t.teardown(() => session.destroy());
  const call = (announced: number) => {
    const headers = { "content-type": "application/grpc", te: "trailers" };
    const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    const stream = session.request({ ":method": "POST", ":path": path, ...headers });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(announced, 1);
    stream.write(head);
    return stream.on("error", () => {});
  };
  const slow = call(50 * 1024);
  slow.write(Buffer.alloc(40 * 1024));
  await until("what was sent", () => receiver.guests.heldBytes >= 40 * 1024);
  const second = call(50 * 1024);
  second.write(Buffer.alloc(30 * 1024));
  await new Promise((resolve) => second.once("close", resolve));
  t.equal(second.rstCode, constants.NGHTTP2_REFUSED_STREAM, "which is UNAVAILABLE to a client");
  t.match(await metrics.text(), /requests_refused_total\{encoding="otlp-grpc",status="503"\} 1/);
  slow.close();
  await until("nothing to be held", () => receiver.guests.heldBytes === 0);
  const body = exportOf("fits");
  const third = call(body.length);
  third.end(body);
  await new Promise((resolve) => third.resume().once("close", resolve));
  t.same(taken, ["sandbox:0"]);
  t.equal(receiver.guests.heldBytes, 0);
});

t.test("a guest that is far too fast is told to come later, another is not", async (t) => {
  const { paths } = await host(t, 2, { guestBytesPerSecond: 1000 });
  const [fast = "", other = ""] = paths;
  const large = Buffer.concat(Array.from({ length: 3_000 }, () => exportOf("large")));
  t.equal((await post(fast, large)).status, 200, "what it has sent is taken");
  const refused = await post(fast, exportOf("more"));
  t.equal(refused.status, 429);
  t.equal(refused.headers["retry-after"], "5");
  t.equal((await post(other, exportOf("fine"))).status, 200);
});

t.test("a debt is paid by waiting", async (t) => {
  const rate = new ByteRate(1000, 0);
  rate.spend(2500, 0);
  t.equal(rate.debtMs(0), 500);
  t.equal(rate.debtMs(300), 200);
  t.equal(rate.debtMs(600), 0);
  rate.spend(2000, 100_000);
  t.equal(rate.debtMs(100_000), 0, "two seconds' worth at once, not more");
  rate.spend(1, 100_000);
  t.ok(rate.debtMs(100_000) > 0);
});

t.test("a thousand guests at once", async (t) => {
  const { paths, receiver, taken } = await host(t, 1000, {});
  const sockets = [];
  for (const path of paths) sockets.push(await connected(t, path));
  const body = exportOf("mine");
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: ${body.length}\r\n\r\n`;
  await Promise.all(
    sockets.map((socket) => {
      socket.write(Buffer.concat([Buffer.from(head), body]));
      return once(socket, "data");
    }),
  );
  t.equal(receiver.guests.count, 1000);
  t.equal(new Set(taken).size, 1000);
});

const scalars = Buffer.alloc(4 * 1024 * 1024, Buffer.from([0x30, 0x01]));
function nested(tag: number, content: Uint8Array): Buffer {
  const length = [];
  for (let rest = content.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
const floods: [where: string, body: Uint8Array][] = [
  ["a span", nested(0x0a, nested(0x12, nested(0x12, scalars)))],
  ["a scope", nested(0x0a, nested(0x12, scalars))],
  ["a resource's envelope", nested(0x0a, scalars)],
  ["a request", Buffer.alloc(4 * 1024 * 1024, Buffer.from([0x0a, 0x00]))],
  ["a scope, of spans", nested(0x0a, nested(0x12, Buffer.alloc(4 * 1024 * 1024, Buffer.from([0x12, 0x00]))))],
];
for (const [where, body] of floods)
  t.test(`a flood of fields in ${where} is given up early`, async (t) => {
    t.throws(() => scanExport(body), /too many/);
  });

const attribute = nested(0x4a, nested(0x12, Buffer.alloc(2 * 1024 * 1024, Buffer.from([0x18, 0x00]))));
const readers: [name: string, read: (body: Uint8Array) => unknown][] = [
  ["JSON lines", jsonFromProtobuf],
  ["backends that want no OTLP", placedSpans],
];
for (const [name, read] of readers)
  t.test(`a value that comes a million times is given up early, for ${name}`, async (t) => {
    const body = nested(0x0a, nested(0x12, nested(0x12, attribute)));
    t.equal(scanExport(body), 1, "nobody looks into attributes at the door");
    t.throws(() => read(body), /too many items/);
  });

const decoders: [name: string, good: Uint8Array, decode: (bytes: Uint8Array) => unknown][] = [
  ["OTLP", tracedPod().body, scanExport],
  ["thrift", jaegerBatch(), (bytes) => otlpFromJaeger(bytes)],
  [
    "OTLP JSON",
    Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x","kind":1,"traceId":"00"}]}]}]}'),
    otlpFromJson,
  ],
];
for (const [name, good, decode] of decoders)
  t.test(`mutated ${name} is refused or read, nothing else`, async (t) => {
    const random = new Random(5);
    let refused = 0;
    for (let run = 0; run < 20_000; run++) {
      const bytes = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length);
      for (let left = 1 + random.below(4); left > 0 && bytes.length > 0; left--)
        bytes[random.below(bytes.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
      try {
        decode(bytes);
      } catch (error) {
        if ((error as Error).name !== "WireError") throw error;
        refused++;
      }
    }
    t.ok(refused > 1000, `${refused} refused`);
  });

t.test("a frame beyond the share behind whole ones ends its connection, and nothing else", async (t) => {
  const { paths, taken, receiver } = await host(t, 1, { maxHeldBytesPerGuest: 8192 });
  const span = jsonOf(randomSpan(new Random(1), 0));
  const lengthOf = (bytes: number) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes));
    return length;
  };
  const socket = await connected(t, paths[0] as string);
  const closed = new Promise((resolve) => socket.resume().once("close", resolve));
  socket.write(Buffer.concat([lengthOf(span.length), span, lengthOf(60_000), Buffer.alloc(20_000, "{")]));
  await closed;
  t.same(taken, ["sandbox:0"]);
  t.equal(receiver.guests.heldBytes, 0);
});
