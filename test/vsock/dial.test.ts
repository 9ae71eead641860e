import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { silentLog } from "../../src/base/log.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { type Address, parseAddress } from "../../src/vsock/address.ts";
import { dial } from "../../src/vsock/dial.ts";
import { listen } from "../../src/vsock/listen.ts";
import { openDescriptors } from "../sys/open-descriptors.ts";
import { collect } from "./connected-pair.ts";
import { socketFolder } from "./socket-folder.ts";

const quick = { timeoutMs: 60_000 };

for (const [text, code] of [
  ["unix:///nonexistent/socket", "ENOENT"],
  ["unix://@nobody-listens-here", "ECONNREFUSED"],
  ["tcp://127.0.0.1:1", "ECONNREFUSED"],
] as const) {
  test(`dialling ${text} fails with ${code} and leaves nothing`, async (t) => {
    const before = openDescriptors();
    await t.rejects(dial(parseAddress(text), quick), { code, syscall: "connect" });
    t.equal(openDescriptors(), before);
  });
}

/** A listener that never accepts, its queue full. */
function fullListener(t: Test): Address {
  const path = join(socketFolder(t), "full");
  const fds = [kernel.listenSocket(1, path, 0, 0, 0)];
  try {
    for (;;) fds.push(kernel.connectSocket(1, path, 0, 0, 0)[0]);
  } catch {
    // EAGAIN: full
  }
  t.teardown(() => fds.forEach(kernel.closeDescriptor));
  return { kind: "unix", path };
}

test("a listener that does not accept costs the time limit, no more", async (t) => {
  const address = fullListener(t);
  const before = openDescriptors();
  await t.rejects(dial(address, { timeoutMs: 60 }), { code: Code.deadlineExceeded });
  t.equal(openDescriptors(), before);
});

test("a signal ends dialling with its reason", async (t) => {
  const address = fullListener(t);
  const controller = new AbortController();
  const work = dial(address, { timeoutMs: 60_000, signal: controller.signal });
  controller.abort(new Error("changed my mind"));
  await t.rejects(work, { message: "changed my mind" });
});

/** Plays the VMM: hands the line it got to `answer`. */
async function vmm(t: Test, answer: (line: string, socket: Socket) => void): Promise<Address> {
  const path = join(socketFolder(t), "vm.sock");
  const server = createServer((socket) => {
    socket.once("data", (line) => answer(line.toString(), socket));
    socket.on("error", () => undefined);
  }).listen(path);
  await once(server, "listening");
  t.teardown(() => void server.close());
  return { kind: "hybrid", path, port: 1024 };
}

test("the hybrid handshake is one line, and what follows the answer is the guest's", async (t) => {
  const lines: string[] = [];
  const address = await vmm(t, (line, socket) => {
    lines.push(line);
    socket.end("OK 1073741824\nfrom the guest");
  });
  const stream = await dial(address, quick);
  const inbox = collect(stream);
  t.equal(await inbox.ended, undefined);
  t.equal(inbox.bytes().toString(), "from the guest");
  t.same(lines, ["CONNECT 1024\n"]);
  await stream.close();
});

test("an answer in pieces is put together", async (t) => {
  const address = await vmm(t, async (_, socket) => {
    for (const piece of ["O", "K 10", "24", "\n"]) await new Promise((done) => socket.write(piece, done));
  });
  await (await dial(address, quick)).close();
});

test("a VMM that closes without an answer means that nobody listens", async (t) => {
  const address = await vmm(t, (_, socket) => socket.destroy());
  const before = openDescriptors();
  const error: unknown = await dial(address, quick).catch((thrown: unknown) => thrown);
  t.match(error, { code: "ECONNREFUSED" });
  t.ok(openDescriptors() <= before + 2, "only the server's ends may still be closing");
});

for (const answer of ["NO\n", "x".repeat(1000)]) {
  test(`the answer ${JSON.stringify(answer.slice(0, 4))}… is another protocol`, async (t) => {
    const address = await vmm(t, (_, socket) => socket.end(answer));
    await t.rejects(dial(address, quick), { code: "EPROTO" });
  });
}

test("a VMM that never answers costs the time limit", async (t) => {
  const sockets: Socket[] = [];
  const address = await vmm(t, (_, socket) => sockets.push(socket));
  await t.rejects(dial(address, { timeoutMs: 50 }), { code: Code.deadlineExceeded });
  for (const socket of sockets) socket.destroy();
});

test("listening on a hybrid address means the path with the port behind it", async (t) => {
  const path = join(socketFolder(t), "vm.sock");
  await using listener = await listen({ kind: "hybrid", path, port: 10240 }, (one) => one.close(), silentLog);
  t.same(listener.address, { kind: "unix", path: `${path}_10240` });
});
