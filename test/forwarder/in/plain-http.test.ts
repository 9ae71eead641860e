import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t, { type Test } from "tap";
import { silentLog } from "../../../src/base/log.ts";
import { Announcements } from "../../../src/forwarder/in/announcements.ts";
import { defaultLimits, type Limits } from "../../../src/forwarder/in/limits.ts";
import { Receiver } from "../../../src/forwarder/in/receiver.ts";
import { Metrics } from "../../../src/forwarder/metrics.ts";
import { placedSpans } from "../../../src/forwarder/out/placed-span.ts";
import { listen } from "../../../src/vsock/listen.ts";
import { until } from "../../fakes/until.ts";
import { exportOf, temporaryFolder } from "../running.ts";

type Host = {
  socket: Socket;
  receiver: Receiver;
  names: string[];
  answers(count: number): Promise<string[]>;
};

/** A receiver, and a guest's connection to it. */
async function host(t: Test, limits: Partial<Limits> = {}): Promise<Host> {
  const [names, metrics, path] = [[] as string[], new Metrics(), join(temporaryFolder(t), "s")];
  const deliver = async ({ body }: { body: Uint8Array }) =>
    void names.push(...placedSpans(body).map(({ span }) => span.name));
  const announcements = new Announcements(deliver, metrics, silentLog);
  const receiver = new Receiver(deliver, announcements, { ...defaultLimits, ...limits }, metrics, silentLog);
  const origin = { key: "sandbox:a", isGuest: true, sandboxId: "a" };
  const listener = await listen({ kind: "unix", path }, (one) => receiver.accept(one, origin), silentLog);
  t.teardown(() => listener.close());
  t.teardown(() => receiver.close(0));
  const socket = connect(path);
  t.teardown(() => socket.destroy());
  let text = "";
  let wake = Promise.withResolvers<void>();
  const onMore = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    onMore();
  });
  socket.on("close", onMore).on("error", onMore);
  const answers = async (count: number) => {
    for (;;) {
      const found = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status as string);
      if (found.length >= count || socket.destroyed) return found;
      await wake.promise;
    }
  };
  return { socket, receiver, names, answers };
}

function requestOf(body: Uint8Array, ...headers: string[]): Buffer {
  const lines = [
    "POST /v1/traces HTTP/1.1",
    "host: x",
    "content-type: application/x-protobuf",
    `content-length: ${body.length}`,
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}

t.test("requests one behind the other are all taken, also when one is not plain", async (t) => {
  const { socket, names, answers } = await host(t);
  const packed = requestOf(gzipSync(exportOf("third")), "content-encoding: gzip");
  const all = [requestOf(exportOf("first")), requestOf(exportOf("second")), packed];
  socket.write(Buffer.concat([...all, requestOf(exportOf("fourth"))]));
  t.same(await answers(4), ["200", "200", "200", "200"]);
  t.same(names.slice(0, 2), ["first", "second"]);
  t.same(names.slice(2).sort(), ["fourth", "third"]);
});

t.test("requests may come in pieces of any size", async (t) => {
  for (const size of [1, 7, 100, 40_000]) {
    const { socket, names, answers } = await host(t);
    const body = Buffer.concat(Array.from({ length: size === 40_000 ? 4_000 : 3 }, () => exportOf("one")));
    const bytes = Buffer.concat([requestOf(body), requestOf(exportOf("two"))]);
    for (let at = 0; at < bytes.length; at += size) {
      socket.write(bytes.subarray(at, at + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.same(await answers(2), ["200", "200"], `pieces of ${size}`);
    t.equal(names.at(-1), "two");
  }
});

t.test("what is refused is said, and the next request is taken", async (t) => {
  const { socket, names, answers } = await host(t);
  socket.write(requestOf(Buffer.from("no protobuf")));
  socket.write(requestOf(exportOf("fine")));
  t.same(await answers(2), ["400", "200"]);
  t.same(names, ["fine"]);
});

t.test("a body beyond the guest's share is refused as it grows, and holds nothing then", async (t) => {
  const { socket, receiver, answers } = await host(t, { maxHeldBytesPerGuest: 256 * 1024 });
  socket.on("close", () => {});
  socket.write(requestOf(Buffer.alloc(1024 * 1024)));
  t.same(await answers(1), ["503"]);
  await new Promise((resolve) => (socket.destroyed ? resolve(0) : socket.once("close", resolve)));
  t.equal(receiver.guests.heldBytes, 0);
});

t.test("the limits that were set are those that count", async (t) => {
  const three = requestOf(Buffer.concat([exportOf("a"), exportOf("b"), exportOf("c")]));
  const spans = await host(t, { maxSpansPerRequest: 2 });
  spans.socket.write(three);
  t.same(await spans.answers(1), ["400"]);
  const fields = await host(t, { maxFieldsPerSpan: 2 });
  fields.socket.write(three);
  t.same(await fields.answers(1), ["400"]);
  const bytes = await host(t, { maxBodyBytes: 100 });
  bytes.socket.write(requestOf(exportOf("a")));
  t.same(await bytes.answers(1), ["200"]);
  bytes.socket.write(three);
  t.same(await bytes.answers(2), ["200", "413"]);
});

t.test("a guest that hangs up within a body leaves nothing behind", async (t) => {
  const { socket, receiver } = await host(t);
  socket.write(requestOf(Buffer.alloc(1000)).subarray(0, 500));
  await until("the body's first half", () => receiver.guests.heldBytes > 0);
  socket.destroy();
  await until("the end of the connection", () => receiver.guests.connections === 0);
  t.equal(receiver.guests.heldBytes, 0);
});
