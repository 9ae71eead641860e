import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { createServer, type Socket } from "node:net";
import t from "tap";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { layerProgram } from "./layer.ts";
import { ports } from "./vsock-ports.ts";

const missing = whyNoVm();
if (missing !== undefined) {
  t.plan(0, missing);
  process.exit();
}

const dir = mkdtempSync("/tmp/kata-vsock-");
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const wanted = ["vmw_vsock_virtio_transport", "vsock_loopback"];
const { initrd, modulePaths } = await layerProgram(dir, "test/vm/vsock-guest.ts", wanted);
// The kernel gives what it does not know itself to the first process as environment.
const guest = await bootGuest({ initrd, append: `test_modules=${modulePaths.join(",")}` });
t.teardown(() => guest.kill());
await guest.seen(/test program is listening/);

/**
 * All that comes until the other side closes, or until there are `enough` bytes, or a line for "line". Reads as fast
 * as it comes: the backend on the host loses its way when both of its directions are stuck at once.
 */
function read(socket: Socket, enough: number | "line" = Number.POSITIVE_INFINITY): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = (): void => resolve(Buffer.concat(chunks));
    socket.on("data", (data) => {
      const chunk = Buffer.from(data);
      chunks.push(chunk);
      bytes += chunk.length;
      if (enough === "line" ? chunk.includes(10) : bytes >= enough) done();
    });
    socket.once("end", done).once("close", done).once("error", reject);
  });
}

for (const [way, port] of [
  ["a byte stream", ports.echoStream],
  ["a socket of Node's", ports.echoSocket],
] as const) {
  t.test(`an accepted connection taken as ${way} carries bytes both ways`, async (t) => {
    const socket = await guest.connect(port);
    socket.write("ping");
    t.equal(String(await read(socket, 4)), "ping");
    socket.destroy();
  });

  t.test(`4 MiB come back whole through ${way}, with both sides sending at once`, async (t) => {
    const socket = await guest.connect(port);
    const sent = Buffer.alloc(4 << 20, "0123456789abcdefghijklmnopqrstu");
    const received = read(socket, sent.length);
    socket.write(sent);
    t.ok((await received).equals(sent));
    socket.destroy();
  });
}

t.test("64 connections at once are answered each with its own bytes", async (t) => {
  const words = Array.from({ length: 64 }, (_, index) => `connection ${index}`);
  const echoed = words.map(async (word) => {
    const socket = await guest.connect(ports.echoStream);
    socket.write(word);
    const answer = String(await read(socket, word.length));
    socket.destroy();
    return answer;
  });
  t.same(await Promise.all(echoed), words);
});

t.test("16 MiB reach the guest whole", async (t) => {
  const socket = await guest.connect(ports.sink);
  const sent = Buffer.alloc(16 << 20, "some pattern of seventeen");
  socket.write(`${sent.length}\n`);
  socket.write(sent);
  const digest = createHash("sha256").update(sent).digest("hex");
  t.equal(String(await read(socket, "line")), `${digest}\n`);
  socket.destroy();
});

t.test("16 MiB leave the guest whole, though it closes right after", async (t) => {
  const socket = await guest.connect(ports.source);
  const received = read(socket);
  socket.write(`${16 << 20}\n`);
  const bytes = await received;
  t.equal(bytes.length, 16 << 20);
  t.ok(
    Array.from({ length: 256 }, (_, block) => bytes.at(block << 16) === block).every(Boolean),
    "each block is in its place",
  );
});

/** What the guest says after it dialled. */
async function callFromGuest(way: "stream" | "socket", address: string, timeoutMs: number): Promise<string> {
  const control = await guest.connect(ports.caller);
  control.write(`${way} ${address} ${timeoutMs}\n`);
  const answer = String(await read(control, "line"));
  control.destroy();
  return answer;
}

for (const way of ["stream", "socket"] as const) {
  t.test(`the guest dials the host as a ${way}`, async (t) => {
    const heard: string[] = [];
    const server = createServer((socket) => {
      socket.once("data", (data) => {
        heard.push(String(data));
        socket.write("hello from the host");
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(guest.listenPath(ports.host), resolve));
    t.equal(await callFromGuest(way, `vsock://2:${ports.host}`, 60_000), "got hello from the host\n");
    t.same(heard, ["hello from the guest"]);
    await new Promise((resolve) => server.close(resolve));
  });
}

t.test("dialling a port where nobody listens ends with an error, not with silence", async (t) => {
  const answer = await callFromGuest("stream", `vsock://2:${ports.nobody}`, 700);
  t.match(answer, /^failed (4|ETIMEDOUT)\n$/);
});

t.test("each side of a connection can close its half and still receive", async (t) => {
  const control = await guest.connect(ports.halfClose);
  t.equal(
    String(await read(control, "line")),
    "server got request, server saw the end, client got late answer, client saw the end\n",
  );
  control.destroy();
});

t.test("a VSOCK connection taken as a socket of Node's carries HTTP/2", async (t) => {
  const socket = await guest.connect(ports.http2);
  const session = connectHttp2("http://guest", { createConnection: () => socket });
  const request = session.request({ ":path": "/" });
  let body = "";
  for await (const chunk of request) body += chunk;
  t.equal(body, "over HTTP/2");
  session.destroy();
});

t.test("the guest switches itself off and QEMU ends", async (t) => {
  const socket = await guest.connect(ports.powerOff);
  t.match(await guest.exited, { code: 0, signal: null });
  t.notMatch(guest.console(), /Kernel panic/);
  socket.destroy();
});
