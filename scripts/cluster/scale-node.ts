import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ExportTraceServiceRequest } from "../../src/gen/otlp.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";
import { Measured } from "../measured.ts";

const program = join(import.meta.dirname, "../../build/kata-trace-forwarder");
const spansPerRequest = 10;
const requestsPerTrace = 10;
/** Of the spans of a trace: what a pod's start and end make, roughly. */
export const spansPerTrace = spansPerRequest * requestsPerTrace;
const pauseMs = 100;
const attributes = {
  "rpc.system.name": "ttrpc",
  "rpc.method": "grpc.AgentService/CreateContainer",
  "container.id": "0123456789abcdef0123456789abcdef",
  "kata.stage": "up",
};

/** A node of a cluster: a forwarder with a spool, as a cluster runs it, and sandboxes that send. */
export class ScaleNode {
  readonly forwarder: Measured;
  readonly #socket: string;

  private constructor(forwarder: Measured, socket: string) {
    this.forwarder = forwarder;
    this.#socket = socket;
  }

  /** `gateway`: where its forwarder sends to. */
  static async start(folder: string, gateway: string): Promise<ScaleNode> {
    mkdirSync(folder, { recursive: true });
    const [socket, admin, config] = ["guest.sock", "admin.sock", "forwarder.toml"].map((name) =>
      join(folder, name),
    );
    const lines = [
      `listen = ["unix://${socket}"]`,
      "watch = true",
      `admin = "unix://${admin}"`,
      'log_level = "error"',
      "[[backend]]",
      'type = "otlp-http"',
      `url = "${gateway}"`,
      `spool = "${join(folder, "spool")}"`,
      // As long as the gateway's own: a try that is given up is made once more.
      "timeout_ms = 120000",
    ];
    writeFileSync(config ?? "", lines.join("\n"));
    const isReady = async () => (await ask(admin ?? "", "GET", "/readyz")) === 200;
    return new ScaleNode(await Measured.start(program, ["--config", config ?? ""], isReady), socket ?? "");
  }

  /** Sandboxes that send at the same time, a trace each. Gives the ids of traces and spans. */
  async send(sandboxes: number): Promise<readonly SentTrace[]> {
    return Promise.all(Array.from({ length: sandboxes }, () => this.#sendTrace()));
  }

  async #sendTrace(): Promise<SentTrace> {
    const trace = randomBytes(16);
    const ids: string[] = [];
    for (let i = 0; i < requestsPerTrace; i++) {
      const spans = Array.from({ length: spansPerRequest }, () => spanOf(trace));
      ids.push(...spans.map(({ span_id }) => span_id.toString("hex")));
      await this.#post(encodeMessage(ExportTraceServiceRequest, exportOf(spans)));
    }
    return { trace: trace.toString("hex"), spans: ids };
  }

  /** Until it is taken, as a guest does. */
  async #post(body: Uint8Array): Promise<void> {
    while ((await ask(this.#socket, "POST", "/v1/traces", body)) !== 200) await pause(pauseMs);
  }
}

/** What a sandbox has sent. */
export type SentTrace = { readonly trace: string; readonly spans: readonly string[] };

function spanOf(trace: Buffer) {
  return {
    trace_id: trace,
    span_id: randomBytes(8),
    name: "grpc.AgentService/CreateContainer",
    kind: 2,
    start_time_unix_nano: 1_789_000_000_000_000_000n,
    end_time_unix_nano: 1_789_000_000_001_000_000n,
    attributes: Object.entries(attributes).map(([key, string_value]) => ({ key, value: { string_value } })),
    flags: 0x301,
  };
}

function exportOf(spans: readonly object[]): object {
  const resource = { attributes: [{ key: "service.name", value: { string_value: "kata-agent" } }] };
  return { resource_spans: [{ resource, scope_spans: [{ scope: { name: "kata-agent" }, spans }] }] };
}

/** The status of an answer over a Unix socket. */
function ask(socketPath: string, method: string, path: string, body?: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/x-protobuf" };
    const outgoing = request({ socketPath, method, path, headers, agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
