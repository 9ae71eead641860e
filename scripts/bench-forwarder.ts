// What a span costs the forwarder, by encoding, into one OTLP backend:
//   node scripts/bench-forwarder.ts [millions of spans, default 0.5]
// The forwarder has a core of its own; loader and receiver share the other. The figure to compare is CPU-seconds per
// million spans, scaled to the machine of the limits by what JSON.parse costs at the same time. Ends with 1 when a limit
// is broken or a span is lost.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import {
  bincodeFrames,
  jsonFrames,
  jsonRequest,
  protobufRequest,
  spansPerRequest,
} from "./bench-forwarder-load.ts";

const root = join(import.meta.dirname, "..");
const spans = Math.round(Number(process.argv[2] ?? 0.5) * 1e6);
const requests = Math.ceil(spans / spansPerRequest);
const connections = 4;
const maxRssMb = 130;
const maxIdleRssMb = 100;
const idleGuests = 1_000;
const ticksPerSecond = 100;
/** What JSON.parse of a span of OTLP JSON cost where the limits were set (backends 5): it tells how fast this machine is now. */
const referenceParseCost = 4.2;

type Running = { child: ChildProcess; pid: number; socket: string; admin: string };
type Row = {
  name: string;
  limit: number | undefined;
  send: (running: Running, count: number) => Promise<void>;
};

const folder = mkdtempSync(join(tmpdir(), "kata-bench-"));
let failed = false;

async function start(name: string, backend: string): Promise<Running> {
  const [socket, admin] = [join(folder, `${name}.sock`), join(folder, `${name}.admin`)];
  const args = [
    "-l",
    `unix://${socket}`,
    "-o",
    backend,
    "--admin",
    `unix://${admin}`,
    "--log-level",
    "error",
  ];
  const child = spawn("taskset", ["-c", "0", join(root, "build/kata-trace-forwarder"), ...args], {
    stdio: "inherit",
  });
  const running = { child, pid: child.pid as number, socket, admin };
  while ((await sent(running).catch(() => -1)) < 0) await pause(20);
  return running;
}

async function stop({ child }: Running): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** CPU-seconds per million spans that JSON.parse takes on the forwarder's core now. */
function parseCost(): number {
  const code = `
    const text = process.argv[1];
    const run = (count) => { for (let i = 0; i < count; i++) JSON.parse(text); };
    run(300);
    const before = process.cpuUsage();
    run(1000);
    const { user, system } = process.cpuUsage(before);
    process.stdout.write(String((user + system) / 1e6 / (1000 * ${spansPerRequest}) * 1e6));`;
  const args = ["-c", "0", process.execPath, "-e", code, Buffer.from(jsonRequest()).toString()];
  return Number(execFileSync("taskset", args, { encoding: "utf8" }));
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Spans that the backend has taken, as the forwarder counts them. */
function sent({ admin }: Running): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ socketPath: admin, path: "/metrics" }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      answer.on("end", () => resolve(Number(/spans_sent_total\{[^}]*\} (\d+)/.exec(text)?.[1] ?? 0)));
    }).on("error", reject);
  });
}

function cpuSeconds({ pid }: Running): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function memoryMb({ pid }: Running, key: "VmHWM" | "VmRSS"): number {
  const [, kib] = new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

/** Requests over some connections, each after the answer to the one before. */
async function overHttp(running: Running, body: Uint8Array, type: string, count: number): Promise<void> {
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const message = Buffer.concat([Buffer.from(head), body]);
  let left = count;
  const one = async () => {
    const socket = connect(running.socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const next = () => (left-- > 0 ? void socket.write(message) : resolve());
    socket.on("connect", next).on("error", reject);
    socket.on("data", (chunk) => {
      const isTaken = chunk.includes("HTTP/1.1 200");
      if (!isTaken && !chunk.includes("HTTP/1.1 503")) reject(new Error(chunk.toString("latin1")));
      // What finds no room is sent again: the receiver shares its core with us.
      if (isTaken) next();
      else setTimeout(() => socket.write(message), 20);
    });
    await promise;
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, one));
}

async function overGrpc(running: Running, body: Uint8Array, count: number): Promise<void> {
  const asIs = (bytes: Buffer) => bytes;
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  let left = count;
  const one = async () => {
    const client = new grpc.Client(`unix:${running.socket}`, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    while (left-- > 0)
      await new Promise<void>((resolve, reject) =>
        client.makeUnaryRequest(path, asIs, asIs, Buffer.from(body), (error) =>
          error ? reject(error) : resolve(),
        ),
      );
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, one));
}

/** Frames one way, as upstream's agent sends them. */
async function overFrames(running: Running, frames: Uint8Array, count: number): Promise<void> {
  const one = async () => {
    const socket = connect(running.socket);
    for (let left = count / connections; left > 0; left--)
      if (!socket.write(frames)) await once(socket, "drain");
    socket.end();
    await once(socket.resume(), "close");
  };
  await Promise.all(Array.from({ length: connections }, one));
}

const rows: readonly Row[] = [
  {
    name: "OTLP over HTTP",
    limit: 1.0,
    send: (to, n) => overHttp(to, protobufRequest(), "application/x-protobuf", n),
  },
  { name: "OTLP over gRPC", limit: undefined, send: (to, n) => overGrpc(to, protobufRequest(), n) },
  {
    name: "OTLP in JSON",
    limit: undefined,
    send: (to, n) => overHttp(to, jsonRequest(), "application/json", n),
  },
  { name: "frames of agent 4.1", limit: 7.5, send: (to, n) => overFrames(to, jsonFrames(), n) },
  { name: "frames of agent 3.28", limit: 6, send: (to, n) => overFrames(to, bincodeFrames(), n) },
];

async function measure({ name, limit, send }: Row, index: number, backend: string): Promise<void> {
  const running = await start(`${index}`, backend);
  await send(running, 400);
  await arrived(running, 400 * spansPerRequest);
  const parseBefore = parseCost();
  const [cpuBefore, startMs] = [cpuSeconds(running), performance.now()];
  await send(running, requests);
  await arrived(running, (400 + requests) * spansPerRequest);
  const total = requests * spansPerRequest;
  const measured = ((cpuSeconds(running) - cpuBefore) / total) * 1e6;
  const rate = total / ((performance.now() - startMs) / 1000);
  const cost = (measured * referenceParseCost) / ((parseBefore + parseCost()) / 2);
  const rss = memoryMb(running, "VmHWM");
  report(
    name,
    `${cost.toFixed(2)} CPU-s/M (measured ${measured.toFixed(2)})`,
    limit !== undefined && cost > limit,
    `limit ${limit ?? "none"}`,
  );
  report(
    "",
    `${Math.round(rate)} spans/s, peak ${rss.toFixed(0)} MB`,
    rss > maxRssMb,
    `limit ${maxRssMb} MB`,
  );
  await stop(running);
}

async function arrived(running: Running, count: number): Promise<void> {
  const untilMs = performance.now() + 60_000;
  while ((await sent(running)) < count) {
    if (performance.now() > untilMs) throw new Error(`${await sent(running)} of ${count} spans arrived`);
    await pause(20);
  }
}

async function measureDeadBackend(): Promise<void> {
  const running = await start("dead", "http://127.0.0.1:1");
  await overHttp(running, protobufRequest(), "application/x-protobuf", 800).catch(() => {});
  const rss = memoryMb(running, "VmHWM");
  report("dead backend", `peak ${rss.toFixed(0)} MB`, rss > maxRssMb, `limit ${maxRssMb} MB`);
  await stop(running);
}

async function measureIdleGuests(backend: string): Promise<void> {
  const running = await start("idle", backend);
  const sockets: Socket[] = [];
  const body = protobufRequest();
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: ${body.length}\r\n\r\n`;
  for (let i = 0; i < idleGuests; i++) {
    const socket = connect(running.socket);
    socket.write(Buffer.concat([Buffer.from(head), body]));
    await once(socket, "data");
    sockets.push(socket);
  }
  const rss = memoryMb(running, "VmRSS");
  report(`${idleGuests} idle guests`, `${rss.toFixed(0)} MB`, rss > maxIdleRssMb, `limit ${maxIdleRssMb} MB`);
  for (const socket of sockets) socket.destroy();
  await stop(running);
}

function report(name: string, value: string, isBroken: boolean, limit: string): void {
  failed ||= isBroken;
  process.stdout.write(`${name.padEnd(22)} ${value.padEnd(36)} ${limit}${isBroken ? "  BROKEN" : ""}\n`);
}

const sink = spawn("taskset", ["-c", "1", process.execPath, join(import.meta.dirname, "bench-sink.ts")], {
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const [line] = (await once(sink.stdout, "data")) as [Buffer];
  const backend = `http://127.0.0.1:${line.toString().trim()}`;
  process.stdout.write(
    `${requests * spansPerRequest} spans of ${Math.round(protobufRequest().length / spansPerRequest)} bytes, ${spansPerRequest} a request\n`,
  );
  for (const [index, row] of rows.entries()) await measure(row, index, backend);
  await measureDeadBackend();
  await measureIdleGuests(backend);
} finally {
  sink.kill();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
