import { createHash } from "node:crypto";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "tap";
import { kernel } from "../../src/sys/kernel.ts";
import type { Address } from "../../src/vsock/address.ts";
import { collect, connectedPair } from "./connected-pair.ts";
import { socketFolder } from "./socket-folder.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const tcp: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

test("bytes pass both ways and half a close leaves the other half open", async (t) => {
  for (const address of [tcp, { kind: "unix", path: join(socketFolder(t), "s") }] as Address[]) {
    const { near, far } = await connectedPair(t, address);
    const answering = far.stream();
    const [atNear, atFar] = [collect(near), collect(answering)];
    near.write(Buffer.from("ques"), Buffer.from("tion"));
    await near.end();
    t.equal(await atFar.ended, undefined);
    t.equal(atFar.bytes().toString(), "question");
    answering.write(Buffer.from("answer"));
    await answering.close();
    t.equal(await atNear.ended, undefined);
    t.equal(atNear.bytes().toString(), "answer");
  }
});

test("all writes of one turn leave in one call, in order", async (t) => {
  const { near, far } = await connectedPair(t, tcp);
  const inbox = collect(far.stream());
  const { writev, write } = kernel;
  let calls = 0;
  t.teardown(() => Object.assign(kernel, { writev, write }));
  kernel.writev = (fd, chunks) => {
    calls++;
    return writev(fd, chunks);
  };
  kernel.write = (fd, bytes) => {
    calls++;
    return write(fd, bytes);
  };
  for (let index = 0; index < 64; index++) near.write(Buffer.from(`${index},`));
  await near.end();
  await inbox.ended;
  t.equal(calls, 1);
  t.equal(inbox.bytes().toString(), Array.from({ length: 64 }, (_, index) => `${index},`).join(""));
});

test("64 MiB to a slow reader arrive whole, with a bounded queue", async (t) => {
  const { near, far } = await connectedPair(t, tcp);
  const chunk = Buffer.alloc(256 * 1024);
  const total = 64 * 1024 * 1024;
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  let got = 0;
  let heldBack = 0;
  const reader = far.stream();
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  reader.start((part) => {
    got += part.length;
    received.update(part);
    reader.pause();
    setImmediate(() => reader.resume());
  }, resolve);
  const held = () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  let peak = 0;
  for (let written = 0; written < total; written += chunk.length) {
    const part = Buffer.from(chunk.fill(written / chunk.length));
    sent.update(part);
    if (near.write(part)) continue;
    heldBack++;
    peak = Math.max(peak, held() - before);
    await near.drained();
  }
  await near.end();
  t.equal(await promise, undefined);
  t.equal(got, total);
  t.equal(received.digest("hex"), sent.digest("hex"));
  t.ok(heldBack > 10, `held back ${heldBack} times`);
  t.ok(peak < 8 * 1024 * 1024, `at most ${peak} bytes`);
});

test("a paused stream delivers nothing, and its end only afterwards", async (t) => {
  const { near, far } = await connectedPair(t, tcp);
  const stream = far.stream();
  stream.pause();
  const inbox = collect(stream);
  near.write(Buffer.from("later"));
  await near.close();
  for (let turns = 0; turns < 10; turns++) await turn();
  t.equal(inbox.bytes().length, 0);
  t.equal(inbox.ends(), 0);
  stream.resume();
  t.equal(await inbox.ended, undefined);
  t.equal(inbox.bytes().toString(), "later");
});

test("a peer that vanishes ends the stream once, and waiting writers go on", async (t) => {
  const { near, far } = await connectedPair(t, { kind: "unix", path: join(socketFolder(t), "s") });
  const inbox = collect(near);
  while (near.write(Buffer.alloc(256 * 1024)));
  const drained = near.drained();
  far.close();
  await drained;
  t.match(await inbox.ended, { code: /EPIPE|ECONNRESET/ });
  t.equal(near.write(Buffer.from("into the void")), true, "dropped");
  await near.end();
  await near.close();
  await near.close();
  t.equal(inbox.ends(), 1);
});

test("what the peer said before it closed is read though a write failed first", async (t) => {
  const { near, far } = await connectedPair(t, { kind: "unix", path: join(socketFolder(t), "s") });
  const answering = far.stream();
  answering.write(Buffer.from("last word"));
  await answering.close();
  near.write(Buffer.from("too late"));
  await turn();
  const inbox = collect(near);
  t.match(await inbox.ended, { code: "EPIPE" });
  t.equal(inbox.bytes().toString(), "last word");
});

test("a stream that is closed within its own delivery is silent from then on", async (t) => {
  const { near, far } = await connectedPair(t, tcp);
  const stream = far.stream();
  const chunks: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.start(
    (chunk) => {
      chunks.push(chunk.length);
      void stream.close();
    },
    () => resolve(),
  );
  near.write(Buffer.alloc(1024 * 1024));
  await promise;
  await turn();
  t.equal(chunks.length, 1);
});

test("close within a grace sends what is queued, without one it does not wait", async (t) => {
  const { near, far } = await connectedPair(t, tcp);
  const reader = far.stream();
  const bytes = Buffer.alloc(8 * 1024 * 1024, 1);
  near.write(bytes);
  const closed = near.close(60_000);
  const inbox = collect(reader);
  await closed;
  await inbox.ended;
  t.equal(inbox.bytes().length, bytes.length);

  const stuck = await connectedPair(t, tcp);
  stuck.near.write(bytes);
  await stuck.near.close(1);
  const rest = collect(stuck.far.stream());
  await rest.ended;
  t.ok(rest.bytes().length < bytes.length);
});
