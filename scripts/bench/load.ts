// Calls Health.Check for a while and prints {"perSecond","p50Us","p99Us"} as one line of JSON. Requests are
// encoded beforehand, so that the cores are left to the server. Stands in for the Go client where there is no Go.
//
//   node scripts/bench/load.ts SOCKET CONNECTIONS OUTSTANDING SECONDS [traced]
import { randomBytes } from "node:crypto";
import { createConnection, type Socket } from "node:net";
import { HealthMethods } from "../../src/gen/methods.ts";
import { ProtobufWriter } from "../../src/wire/protobuf-writer.ts";
import { writeRequest } from "../../src/wire/ttrpc-envelope.ts";
import { beginFrame, endFrame, FrameParser, FrameType } from "../../src/wire/ttrpc-frame.ts";
import { percentile } from "./samples.ts";

const [path = "", connections = "1", outstanding = "1", seconds = "1", traced] = process.argv.slice(2);
const warmUpMs = 500;

/** A Check as a frame with stream id 0; traced ones carry a traceparent. */
function frameOf(traceparent: string | undefined): Buffer {
  const writer = new ProtobufWriter();
  const { service, name, requestType } = HealthMethods.Check;
  const mark = beginFrame(writer, 0, FrameType.request);
  const metadata = traceparent === undefined ? [] : [["traceparent", traceparent] as const];
  writeRequest(writer, { service, method: name, metadata }, requestType, { service: "" });
  endFrame(writer, mark);
  return Buffer.concat(writer.chunks());
}

const parents = Array.from({ length: 256 }, () => `00-${hex(16)}-${hex(8)}-01`);
const frames = (traced === undefined ? [undefined] : parents).map(frameOf);
const latenciesUs: number[] = [];
let calls = 0;

function hex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}

/** Keeps `depth` calls under way on one connection. */
class Lane {
  readonly #socket: Socket;
  readonly #sentAtMs = new Map<number, number>();
  #nextId = 1;

  constructor(depth: number) {
    this.#socket = createConnection(path, () => this.#send(depth));
    let answered = 0;
    const parser = new FrameParser({
      frame: (id) => {
        latenciesUs.push((performance.now() - (this.#sentAtMs.get(id) ?? 0)) * 1000);
        this.#sentAtMs.delete(id);
        answered += 1;
      },
      oversize() {},
    });
    this.#socket.on("data", (chunk: Buffer) => {
      answered = 0;
      parser.push(chunk);
      calls += answered;
      this.#send(answered);
    });
  }

  #send(count: number): void {
    const batch: Buffer[] = [];
    for (let sent = 0; sent < count; sent += 1) {
      const frame = Buffer.from(frames[this.#nextId % frames.length] ?? "");
      frame.writeUInt32BE(this.#nextId, 4);
      this.#sentAtMs.set(this.#nextId, performance.now());
      this.#nextId += 2;
      batch.push(frame);
    }
    this.#socket.write(batch.length === 1 ? (batch[0] ?? "") : Buffer.concat(batch));
  }
}

for (let lane = 0; lane < Number(connections); lane += 1) new Lane(Number(outstanding));
setTimeout(() => {
  calls = 0;
  latenciesUs.length = 0;
  const startMs = performance.now();
  setTimeout(() => {
    const perSecond = calls / ((performance.now() - startMs) / 1000);
    const report = {
      calls,
      perSecond,
      p50Us: percentile(latenciesUs, 0.5),
      p99Us: percentile(latenciesUs, 0.99),
    };
    process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
  }, Number(seconds) * 1000);
}, warmUpMs);
