import { setImmediate as turn } from "node:timers/promises";
import { test } from "tap";
import { Descriptor } from "../../src/sys/descriptor.ts";
import { closeFd, makePipe, setPipeSize } from "../../src/sys/pipe.ts";
import { openDescriptors } from "./open-descriptors.ts";

function pipeEnds(): { reader: Descriptor; writer: Descriptor } & Disposable {
  const { readEnd, writeEnd } = makePipe();
  const reader = new Descriptor(readEnd);
  const writer = new Descriptor(writeEnd);
  return {
    reader,
    writer,
    [Symbol.dispose]() {
      reader.close();
      writer.close();
    },
  };
}

test("a read tells bytes, nothing yet, and the end apart", (t) => {
  using pipe = pipeEnds();
  const buffer = new Uint8Array(10);
  t.equal(pipe.reader.read(buffer), -1);
  t.equal(pipe.writer.write([Buffer.from("abc"), Buffer.from("de")]), 5);
  t.equal(pipe.reader.read(buffer, 2, 3), 3);
  t.equal(Buffer.from(buffer.subarray(0, 5)).toString(), "\0\0abc");
  t.equal(pipe.reader.read(buffer, 8), 2);
  pipe.writer.close();
  t.equal(pipe.reader.read(buffer), 0);
  t.end();
});

test("a full pipe takes a part, then nothing, until it is writable", async (t) => {
  using pipe = pipeEnds();
  const size = setPipeSize(pipe.writer.fd, 4096);
  t.equal(pipe.writer.write([Buffer.alloc(size), Buffer.alloc(10)]), size);
  t.equal(pipe.writer.write([Buffer.alloc(1)]), 0);
  t.equal(pipe.writer.write([Buffer.alloc(1), Buffer.alloc(1)]), 0);
  const writable = pipe.writer.writable();
  pipe.reader.read(new Uint8Array(size));
  await writable;
  t.equal(pipe.writer.write([Buffer.alloc(1)]), 1);
});

test("more chunks than one call takes are written in part", (t) => {
  using pipe = pipeEnds();
  t.equal(pipe.writer.write(Array.from({ length: 2000 }, () => Buffer.from("x"))), 1024);
  t.equal(pipe.writer.write([]), 0);
  t.end();
});

test("a reader is called until all has been read, and not after it resigned", async (t) => {
  using pipe = pipeEnds();
  const buffer = new Uint8Array(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  pipe.reader.onReadable(() => {
    pipe.reader.read(buffer);
    if (++calls === 3) resolve();
  });
  pipe.writer.write([Buffer.from("abc")]);
  await promise;
  pipe.reader.onReadable(undefined);
  pipe.writer.write([Buffer.from("d")]);
  for (let turns = 0; turns < 5; turns++) await turn();
  t.equal(calls, 3);
});

test("microtasks run between two calls of a reader", async (t) => {
  using a = pipeEnds();
  using b = pipeEnds();
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const { reader } of [a, b]) {
    reader.onReadable(() => {
      reader.read(new Uint8Array(1));
      order.push("call");
      queueMicrotask(() => {
        order.push("microtask");
        if (order.length === 4) resolve();
      });
    });
  }
  a.writer.write([Buffer.from("x")]);
  b.writer.write([Buffer.from("x")]);
  await promise;
  t.same(order, ["call", "microtask", "call", "microtask"]);
});

test("a writer learns that its reader has gone", async (t) => {
  using pipe = pipeEnds();
  while (pipe.writer.write([Buffer.alloc(4096)]) > 0);
  const writable = pipe.writer.writable();
  pipe.reader.close();
  await writable;
  t.throws(() => pipe.writer.write([Buffer.alloc(1)]), { code: "EPIPE", syscall: "write" });
});

test("waits end with the signal, or with the descriptor", async (t) => {
  using pipe = pipeEnds();
  const controller = new AbortController();
  const waits = [pipe.reader.readable(controller.signal), pipe.reader.readable()];
  controller.abort(new Error("enough"));
  await t.rejects(waits[0] as Promise<void>, { message: "enough" });
  await t.rejects(pipe.reader.readable(controller.signal), { message: "enough" });
  pipe.reader.close();
  pipe.reader.close();
  await t.rejects(waits[1] as Promise<void>, { code: "ECANCELED" });
  await t.rejects(pipe.reader.readable(), { code: "ECANCELED" });
});

test("what is closed never reaches the kernel, where the number may be another's by now", (t) => {
  using pipe = pipeEnds();
  const { fd } = pipe.reader;
  pipe.reader.close();
  using other = pipeEnds();
  t.equal(other.reader.fd, fd, "the number is in use again");
  t.throws(() => pipe.reader.fd, { code: "EBADF" });
  t.throws(() => pipe.reader.read(new Uint8Array(1)), { code: "EBADF" });
  t.throws(() => pipe.reader.write([new Uint8Array(1)]), { code: "EBADF" });
  t.throws(() => pipe.reader.release(), { code: "EBADF" });
  t.end();
});

test("it may be closed within its own callback, with another one ready in the same turn", async (t) => {
  const [a, b] = [pipeEnds(), pipeEnds()];
  let calls = 0;
  for (const { reader } of [a, b]) {
    reader.onReadable(() => {
      calls++;
      a.reader.close();
      b.reader.close();
    });
  }
  a.writer.write([Buffer.from("x")]);
  b.writer.write([Buffer.from("x")]);
  while (!a.reader.closed) await turn();
  for (let turns = 0; turns < 5; turns++) await turn();
  t.equal(calls, 1);
  a.writer.close();
  b.writer.close();
});

test("an error thrown by a callback is an uncaught one, and the descriptor goes on", async (t) => {
  using pipe = pipeEnds();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  t.capture(process, "emit", (name: string, error: unknown) => {
    if (name === "uncaughtException") resolve(error);
    return true;
  });
  pipe.reader.onReadable(() => {
    pipe.reader.onReadable(undefined);
    throw new Error("out of a callback");
  });
  pipe.writer.write([Buffer.from("x")]);
  t.match(await promise, { message: "out of a callback" });
  t.equal(pipe.reader.read(new Uint8Array(5)), 1);
});

test("a released number stays open and is the caller's", (t) => {
  const before = openDescriptors();
  const { readEnd, writeEnd } = makePipe();
  const reader = new Descriptor(readEnd);
  reader.onReadable(() => undefined);
  t.equal(reader.release(), readEnd);
  t.equal(reader.closed, true);
  using again = new Descriptor(readEnd);
  t.equal(again.read(new Uint8Array(1)), -1);
  again.close();
  closeFd(writeEnd);
  t.equal(openDescriptors(), before);
  t.end();
});

test("a number that is not open is EBADF", (t) => {
  t.throws(() => new Descriptor(9999), { code: "EBADF", syscall: "fcntl" });
  t.end();
});
