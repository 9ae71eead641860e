/**
 * Runs in a guest as its first process in the place of the agent, for vsock.test.ts: serves one small service per
 * port, all of them on our own listeners and dials.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http2";
import type { Socket } from "node:net";
import type { ByteStream } from "../../src/base/byte-stream.ts";
import { silentLog } from "../../src/base/log.ts";
import { loadModule } from "../../src/sys/load-module.ts";
import { mount } from "../../src/sys/mount.ts";
import { powerOff } from "../../src/sys/power.ts";
import type { Accepted } from "../../src/vsock/accepted.ts";
import { parseAddress } from "../../src/vsock/address.ts";
import { dial, dialSocket } from "../../src/vsock/dial.ts";
import { listen } from "../../src/vsock/listen.ts";
import { ports } from "./vsock-ports.ts";

const serve = (port: number, onAccept: (accepted: Accepted) => void) =>
  listen(parseAddress(`vsock://-1:${port}`), onAccept, silentLog);

/** Sends back what comes in, through a `ByteStream`, held back by its own backlog. */
function echoStream(accepted: Accepted): void {
  const stream = accepted.stream();
  stream.start(
    (chunk) => {
      if (stream.write(chunk.slice())) return;
      stream.pause();
      void stream.drained().then(() => stream.resume());
    },
    () => void stream.close(1_000),
  );
}

/** Takes `<bytes>\n` and that many bytes, answers with their SHA-256. */
function sink(accepted: Accepted): void {
  const stream = accepted.stream();
  const hash = createHash("sha256");
  let expected = -1;
  let line = "";
  stream.start(
    (chunk) => {
      let data = chunk;
      if (expected < 0) {
        const at = chunk.indexOf(10);
        line += Buffer.from(at < 0 ? chunk : chunk.subarray(0, at)).toString();
        if (at < 0) return;
        expected = Number(line);
        data = chunk.subarray(at + 1);
      }
      hash.update(data);
      expected -= data.length;
      if (expected === 0) stream.write(Buffer.from(`${hash.digest("hex")}\n`));
    },
    () => void stream.close(),
  );
}

/** Takes `<bytes>\n`, sends that many and closes. */
function source(accepted: Accepted): void {
  const stream = accepted.stream();
  stream.start(
    (chunk) => void pour(stream, Number(Buffer.from(chunk).toString())),
    () => undefined,
  );
}

async function pour(stream: ByteStream, total: number): Promise<void> {
  for (let sent = 0; sent < total; ) {
    const block = Buffer.alloc(Math.min(64 << 10, total - sent), sent >> 16);
    sent += block.length;
    if (!stream.write(block)) await stream.drained();
  }
  await stream.close(10_000);
}

/** Takes `<stream|socket> <address> <timeoutMs>\n`, greets whoever answers there, says what came back. */
function caller(accepted: Accepted): void {
  const socket = accepted.socket();
  socket.once("data", (line) => {
    const [way, address = "", timeoutMs] = line.toString().trim().split(" ");
    const limits = { timeoutMs: Number(timeoutMs) };
    const answer = (text: string): void => void socket.write(`${text}\n`);
    const failed = (error: NodeJS.ErrnoException): void => answer(`failed ${error.code}`);
    const target = parseAddress(address);
    if (way === "socket") dialSocket(target, limits).then((peer) => greetSocket(peer, answer), failed);
    else dial(target, limits).then((peer) => greetStream(peer, answer), failed);
  });
}

function greetSocket(peer: Socket, answer: (text: string) => void): void {
  peer.once("data", (data) => {
    answer(`got ${data}`);
    // Not end(): the backend does not pass on that one half is closed.
    peer.destroy();
  });
  peer.write("hello from the guest");
}

function greetStream(peer: ByteStream, answer: (text: string) => void): void {
  peer.start(
    (data) => {
      answer(`got ${Buffer.from(data)}`);
      void peer.close();
    },
    () => undefined,
  );
  peer.write(Buffer.from("hello from the guest"));
}

/**
 * Two ends inside the guest, over the kernel's loopback: each closes its half first and still gets what the other
 * sends afterwards. The host's backend has no half-close to test with.
 */
async function halfClose(accepted: Accepted): Promise<void> {
  const report = accepted.socket();
  const words: string[] = [];
  await serve(ports.loopback, (inner) => {
    const server = inner.stream();
    server.start(
      (chunk) => words.push(`server got ${Buffer.from(chunk)}`),
      () => {
        words.push("server saw the end");
        server.write(Buffer.from("late answer"));
        void server.end();
      },
    );
  });
  const client = await dial(parseAddress(`vsock://1:${ports.loopback}`), { timeoutMs: 60_000 });
  client.start(
    (chunk) => words.push(`client got ${Buffer.from(chunk)}`),
    () => {
      words.push("client saw the end");
      report.write(`${words.join(", ")}\n`);
    },
  );
  client.write(Buffer.from("request"));
  await client.end();
}

async function main(): Promise<void> {
  if (process.pid !== 1) throw new Error("only for the first process of a guest");
  await mount({ source: "proc", target: "/proc", type: "proc" });
  await mount({ source: "devtmpfs", target: "/dev", type: "devtmpfs" });
  const modules = process.env["test_modules"] ?? "";
  for (const path of modules.split(",").filter(Boolean)) await loadModule(path);
  await serve(ports.echoStream, echoStream);
  await serve(ports.echoSocket, (accepted) => {
    const socket = accepted.socket();
    socket.on("error", () => undefined).pipe(socket);
  });
  await serve(ports.sink, sink);
  await serve(ports.source, source);
  await serve(ports.caller, caller);
  await serve(ports.halfClose, (accepted) => void halfClose(accepted));
  const web = createServer((_, response) => response.end("over HTTP/2"));
  await serve(ports.http2, (accepted) => web.emit("connection", accepted.socket()));
  await serve(ports.powerOff, () => void powerOff());
  process.stdout.write("test program is listening\n");
}

void main().catch((error) => {
  process.stdout.write(`test program failed: ${error.stack}\n`);
  // Whoever runs this on a machine must keep the machine.
  return process.pid === 1 ? powerOff() : undefined;
});
