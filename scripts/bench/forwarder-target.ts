import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { accepts, freePort } from "../loopback.ts";
import { Measured } from "../measured.ts";
import { jsonRequest, spansPerRequest } from "./forwarder-load.ts";

/** What is measured has the first core for itself; loader and receiver share the second. */
const core = "0";
const root = join(import.meta.dirname, "../..");
export const collectorPath = join(root, ".cache/backends/collector");
const arrivalLimitMs = 120_000;
const pollMs = 20;
export const guests = 4;

/** The forwarder, with quotas, tail sampling and all else that is on in use. */
export class ForwarderTarget {
  /** Sockets of guests, each with its quota. */
  readonly guestSockets: readonly string[];
  /** A socket that many may come through. */
  readonly socket: string;
  readonly program: Measured;
  readonly #admin: string;

  private constructor(base: string, program: Measured) {
    this.program = program;
    this.guestSockets = Array.from({ length: guests }, (_, i) => `${base}.${i}_10240`);
    this.socket = `${base}.sock`;
    this.#admin = adminOf(base);
  }

  /** `backend`: an OTLP/HTTP URL; without it sampling drops all, so nothing is sent. */
  static async start(base: string, backend: string | undefined): Promise<ForwarderTarget> {
    const listen = Array.from({ length: guests }, (_, i) => `"hvsock://${base}.${i}:10240"`);
    const lines = [
      `listen = [${listen.join(", ")}, "unix://${base}.sock"]`,
      `admin = "unix://${adminOf(base)}"`,
      'log_level = "error"',
      "[sampling]",
      "keep_one_in = 1000000",
      // Spans of the load take 1 ms.
      `slow_ms = ${backend === undefined ? 1000 : 0}`,
      "hold_ms = 1000",
      "[[backend]]",
      'type = "otlp-http"',
      `url = "${backend ?? "http://127.0.0.1:1"}"`,
    ];
    writeFileSync(`${base}.toml`, `${lines.join("\n")}\n`);
    const file = join(root, "build/kata-trace-forwarder");
    const isReady = async () => (await counted(adminOf(base), "received")) >= 0;
    return new ForwarderTarget(
      base,
      await Measured.start(...onCore(file, ["--config", `${base}.toml`]), isReady),
    );
  }

  /** Spans so far, by the forwarder's own counters. */
  count(what: "received" | "sent"): Promise<number> {
    return counted(this.#admin, what);
  }

  /** @throws Error when the spans do not arrive: some are lost. */
  async arrived(what: "received" | "sent", count: number): Promise<void> {
    const untilMs = performance.now() + arrivalLimitMs;
    for (let now = await this.count(what); now < count; now = await this.count(what)) {
      if (performance.now() > untilMs) throw new Error(`${now} of ${count} spans arrived`);
      await pause(pollMs);
    }
  }
}

function adminOf(base: string): string {
  return `${base}.admin`;
}

/** The same program and arguments, held to the first core. */
function onCore(file: string, args: readonly string[]): [string, string[]] {
  return ["taskset", ["-c", core, file, ...args]];
}

async function counted(admin: string, what: "received" | "sent"): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = get({ socketPath: admin, path: "/metrics", agent: false }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    answer.on("end", () => resolve(text));
  });
  request.on("error", reject);
  const found = (await promise).matchAll(new RegExp(`spans_${what}_total\\{[^}]*\\} (\\d+)`, "g"));
  return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** The OpenTelemetry Collector on one thread, OTLP over HTTP both ways, joining like ours. */
export async function startCollector(backend: string): Promise<{ program: Measured; port: number }> {
  const port = await freePort();
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    processors: { batch: { timeout: "100ms" } },
    exporters: { otlphttp: { endpoint: backend, compression: "none" } },
    service: {
      pipelines: { traces: { receivers: ["otlp"], processors: ["batch"], exporters: ["otlphttp"] } },
      telemetry: { metrics: { level: "none" }, logs: { level: "error" } },
    },
  };
  const args = ["--config", `yaml:${JSON.stringify(config)}`];
  const isReady = () => accepts(port);
  const program = await Measured.start(...onCore(collectorPath, args), isReady, { GOMAXPROCS: "1" });
  return { program, port };
}

/** CPU-seconds per million spans that JSON.parse of OTLP JSON takes on that core now: how fast the machine is. */
export function parseCost(): number {
  const code = `
    const text = process.argv[1];
    const run = (count) => { for (let i = 0; i < count; i++) JSON.parse(text); };
    run(200);
    const before = process.cpuUsage();
    run(400);
    const { user, system } = process.cpuUsage(before);
    process.stdout.write(String((user + system) / 400 / ${spansPerRequest}));`;
  const args = ["-c", core, process.execPath, "-e", code, Buffer.from(jsonRequest()).toString()];
  return Number(execFileSync("taskset", args, { encoding: "utf8" }));
}
