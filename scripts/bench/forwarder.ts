// What a span costs the forwarder, by encoding, into nothing and into one OTLP backend, with the OpenTelemetry Collector
// beside it where it is there (scripts/backends.ts gets it):
//   node scripts/bench/forwarder.ts [millions of spans, default 0.5]
// Prints a table and writes build/bench-forwarder.json. The figure to compare is CPU-seconds per million spans. What
// JSON.parse of a span costs on the same core at the same time stands beside it: where the targets were set it was 4.2.
// Quotas, caps, announcements and tail sampling are on. It ends with an error when a span is lost, not for its figures.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import {
  bincodeFrames,
  jaegerRequest,
  jsonFrames,
  jsonRequest,
  protobufRequest,
  spansPerRequest,
} from "./forwarder-load.ts";
import { overFrames, overGrpc, overHttp } from "./forwarder-senders.ts";
import { collectorPath, ForwarderTarget, parseCost, startCollector } from "./forwarder-target.ts";
import { type Row, row, rowBeside, table } from "./row.ts";

const spans = Math.round(Number(process.argv[2] ?? 0.5) * 1e6);
const requests = Math.ceil(spans / spansPerRequest);
/** What runs once for each request is compiled for good after 3,000 of them: a forwarder runs for months. */
const warmUps = 4_000;
const idleGuests = 1_000;
const unit = "CPU-s/M";
const protobuf = "application/x-protobuf";
const memoryTarget = "≤ 130";

type Load = {
  readonly name: string;
  readonly target: string;
  readonly send: (to: readonly string[], count: number) => Promise<void>;
};

const loads: readonly Load[] = [
  { name: "OTLP over HTTP", target: "≤ 1.0", send: (to, n) => overHttp(to, protobufRequest(), protobuf, n) },
  { name: "OTLP over gRPC", target: "", send: (to, n) => overGrpc(to, protobufRequest(), n) },
  { name: "OTLP JSON", target: "", send: (to, n) => overHttp(to, jsonRequest(), "application/json", n) },
  { name: "frames of agent 4.1 (JSON)", target: "≤ 7.5", send: (to, n) => overFrames(to, jsonFrames(), n) },
  {
    name: "frames of agent 3.28 (bincode)",
    target: "≤ 6",
    send: (to, n) => overFrames(to, bincodeFrames(), n),
  },
  {
    name: "Jaeger thrift",
    target: "",
    send: (to, n) => overHttp(to, jaegerRequest(), "application/x-thrift", n, "/api/traces"),
  },
];

const folder = mkdtempSync(join(tmpdir(), "kata-bench-"));
const rows: Row[] = [];

function add(made: Row): void {
  rows.push(made);
  process.stderr.write(`${made.name}: ${made.figure} ${made.unit}\n`);
}

let started = 0;
const forwarder = (backend: string | undefined) =>
  ForwarderTarget.start(join(folder, String(++started)), backend);

/** `backend`: undefined for none. */
async function measure({ name, target, send }: Load, backend: string | undefined): Promise<void> {
  const running = await forwarder(backend);
  const counted = backend === undefined ? "received" : "sent";
  await send(running.guestSockets, warmUps);
  await running.arrived(counted, warmUps * spansPerRequest);
  const parseBefore = parseCost();
  const [cpuBefore, startMs] = [running.program.cost().cpuS, performance.now()];
  await send(running.guestSockets, requests);
  await running.arrived(counted, (warmUps + requests) * spansPerRequest);
  const [cpu, ms] = [running.program.cost().cpuS - cpuBefore, performance.now() - startMs];
  const millions = (requests * spansPerRequest) / 1e6;
  const title = `${name} → ${backend === undefined ? "nothing" : "OTLP"}`;
  const wanted = backend === undefined ? "" : target;
  add(rowBeside(title, unit, cpu / millions, "JSON.parse", (parseBefore + parseCost()) / 2, wanted));
  add(row(`${title}, rate`, "spans/s", (millions * 1e9) / ms, ""));
  add(row(`${title}, peak memory`, "MB", running.program.cost().peakMb, memoryTarget));
  await running.program.stop();
}

async function measureCollector(backend: string): Promise<void> {
  const { program, port } = await startCollector(backend);
  const connections = [port, port, port, port];
  await overHttp(connections, protobufRequest(), protobuf, warmUps);
  await program.quiet();
  const parseBefore = parseCost();
  const cpuBefore = program.cost().cpuS;
  await overHttp(connections, protobufRequest(), protobuf, requests);
  await program.quiet();
  const cost = (program.cost().cpuS - cpuBefore) / ((requests * spansPerRequest) / 1e6);
  const parse = (parseBefore + parseCost()) / 2;
  add(rowBeside("Collector, OTLP over HTTP → OTLP", unit, cost, "JSON.parse", parse, ""));
  add(row("Collector, peak memory", "MB", program.cost().peakMb, ""));
  await program.stop();
}

async function measureDeadBackend(): Promise<void> {
  const running = await forwarder("http://127.0.0.1:1");
  let sent = 0;
  // What no longer finds room would be sent again for ever, so this much and no more.
  await overHttp(running.guestSockets, protobufRequest(), protobuf, 600).then(() => {
    sent = 600;
  });
  await running.arrived("received", sent * spansPerRequest);
  add(row("dead backend, peak memory", "MB", running.program.cost().peakMb, memoryTarget));
  await running.program.stop();
}

async function measureIdleGuests(backend: string): Promise<void> {
  const running = await forwarder(backend);
  const sockets: Socket[] = [];
  const body = protobufRequest();
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${protobuf}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const message = Buffer.concat([Buffer.from(head), body]);
  for (let i = 0; i < idleGuests; i++) {
    const socket = connect(running.socket);
    socket.write(message);
    await once(socket, "data");
    sockets.push(socket);
  }
  await running.program.quiet();
  add(row(`${idleGuests} idle guests, memory`, "MB", running.program.cost().residentMb, "≤ 100"));
  for (const socket of sockets) socket.destroy();
  await running.program.stop();
}

const sink = spawn("taskset", ["-c", "1", process.execPath, join(import.meta.dirname, "sink.ts")], {
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const [line] = (await once(sink.stdout, "data")) as [Buffer];
  const backend = `http://127.0.0.1:${line.toString().trim()}`;
  for (const load of loads) {
    await measure(load, undefined);
    await measure(load, backend);
  }
  if (existsSync(collectorPath)) await measureCollector(backend);
  else process.stderr.write("the OpenTelemetry Collector is not there (scripts/backends.ts)\n");
  await measureDeadBackend();
  await measureIdleGuests(backend);
} finally {
  sink.kill();
  rmSync(folder, { recursive: true, force: true });
}
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryMb: Math.round(totalmem() / 2 ** 20) };
const load = { spans: requests * spansPerRequest, spansPerRequest, node: process.version };
const spanBytes = Math.round(protobufRequest().length / spansPerRequest);
writeFileSync(
  join(import.meta.dirname, "../../build/bench-forwarder.json"),
  `${JSON.stringify({ machine, load: { ...load, spanBytes }, rows }, undefined, 2)}\n`,
);
process.stdout.write(`${table(rows)}\n`);
