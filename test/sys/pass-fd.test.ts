import { join } from "node:path";
import { test } from "tap";
import { Descriptor } from "../../src/sys/descriptor.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { receiveDescriptors, sendDescriptors } from "../../src/sys/pass-fd.ts";
import { closeFd, makePipe } from "../../src/sys/pipe.ts";
import { openDescriptors } from "./open-descriptors.ts";

function socketPair(name: string): { near: Descriptor; far: Descriptor } & Disposable {
  const listener = kernel.listenSocket(2, join(name, String(process.pid)), 0, 0, 1);
  const near = new Descriptor(kernel.connectSocket(2, join(name, String(process.pid)), 0, 0, 0)[0]);
  const far = new Descriptor(kernel.acceptSocket(listener));
  closeFd(listener);
  return {
    near,
    far,
    [Symbol.dispose]() {
      near.close();
      far.close();
    },
  };
}

test("descriptors pass with their bytes and work at the other end", (t) => {
  using pair = socketPair("pass");
  const pipe = makePipe();
  const into = new Uint8Array(100);
  t.equal(receiveDescriptors(pair.far, into), undefined, "nothing yet");
  t.equal(sendDescriptors(pair.near, Buffer.from("console"), [pipe.readEnd, pipe.writeEnd]), 7);
  closeFd(pipe.readEnd);
  closeFd(pipe.writeEnd);
  const received = receiveDescriptors(pair.far, into);
  t.equal(received?.bytes, 7);
  t.equal(Buffer.from(into.subarray(0, 7)).toString(), "console");
  const [reader, writer] = (received?.fds ?? []).map((fd) => new Descriptor(fd));
  t.equal(writer?.write([Buffer.from("through")]), 7);
  t.equal(reader?.read(into), 7);
  reader?.close();
  writer?.close();
  t.end();
});

test("the end is 0 bytes", (t) => {
  using pair = socketPair("end");
  pair.near.close();
  t.same(receiveDescriptors(pair.far, new Uint8Array(1)), { bytes: 0, fds: [] });
  t.end();
});

test("a message without descriptors has none, one with a bad one fails", (t) => {
  using pair = socketPair("none");
  t.equal(sendDescriptors(pair.near, Buffer.from("x"), []), 1);
  t.same(receiveDescriptors(pair.far, new Uint8Array(5)), { bytes: 1, fds: [] });
  t.throws(() => sendDescriptors(pair.near, Buffer.from("x"), [9999]), { code: "EBADF", syscall: "sendmsg" });
  t.throws(() => sendDescriptors(pair.near, Buffer.from("x"), new Array(17).fill(0)), TypeError);
  t.throws(() => sendDescriptors(pair.near, Buffer.alloc(0), [0]), TypeError);
  t.end();
});

test("sixteen at once pass, and nothing is left open", (t) => {
  const before = openDescriptors();
  {
    using pair = socketPair("many");
    sendDescriptors(pair.near, Buffer.from("x"), new Array(16).fill(0));
    const fds = receiveDescriptors(pair.far, new Uint8Array(1))?.fds ?? [];
    t.equal(fds.length, 16);
    fds.forEach(closeFd);
    sendDescriptors(pair.near, Buffer.from("x"), [0, 0]);
  }
  t.equal(openDescriptors(), before, "also those that nobody received");
  t.end();
});
