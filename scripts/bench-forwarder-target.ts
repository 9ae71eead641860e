import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { jsonRequest, spansPerRequest } from "./bench-forwarder-load.ts";

/** What is measured has the first core for itself; loader and receiver share the second. */
const core = "0";
const root = join(import.meta.dirname, "..");
export const collectorPath = join(root, ".cache/backends/collector");
const ticksPerSecond = 100;
const arrivalLimitMs = 120_000;
export const guests = 4;

/** Waits. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A program under measurement. */
export class Target {
  readonly #child: ChildProcess;

  constructor(file: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#child = spawn("taskset", ["-c", core, file, ...args], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, ...env },
    });
  }

  /** User and system time so far, s. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Resident memory now, or the most there was, MB. */
  memoryMb(key: "VmHWM" | "VmRSS"): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  }

  /** Resolves when it has had nothing to do for half a second. */
  async quiet(): Promise<void> {
    for (let before = -1, now = this.cpuSeconds(); now > before; now = this.cpuSeconds()) {
      before = now;
      await pause(500);
    }
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

/** The forwarder, with quotas, tail sampling and all else that is on in use. */
export class ForwarderTarget extends Target {
  /** Sockets of guests, each with its quota. */
  readonly guestSockets: readonly string[];
  /** A socket that many may come through. */
  readonly socket: string;
  readonly #admin: string;

  private constructor(base: string, config: string) {
    super(join(root, "build/kata-trace-forwarder"), ["--config", config]);
    this.guestSockets = Array.from({ length: guests }, (_, i) => `${base}.${i}_10240`);
    this.socket = `${base}.sock`;
    this.#admin = `${base}.admin`;
  }

  /** `backend`: an OTLP/HTTP URL; without it sampling drops all, so nothing is sent. */
  static async start(base: string, backend: string | undefined): Promise<ForwarderTarget> {
    const listen = Array.from({ length: guests }, (_, i) => `"hvsock://${base}.${i}:10240"`);
    const lines = [
      `listen = [${listen.join(", ")}, "unix://${base}.sock"]`,
      `admin = "unix://${base}.admin"`,
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
    const target = new ForwarderTarget(base, `${base}.toml`);
    const limitMs = performance.now() + arrivalLimitMs;
    while ((await target.count("received").catch(() => -1)) < 0) {
      if (performance.now() > limitMs) throw new Error("the forwarder did not start");
      await pause(20);
    }
    return target;
  }

  /** Spans so far, by the forwarder's own counters. */
  async count(what: "received" | "sent"): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const request = get({ socketPath: this.#admin, path: "/metrics", agent: false }, (answer) => {
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

  /** @throws Error when the spans do not arrive: some are lost. */
  async arrived(what: "received" | "sent", count: number): Promise<void> {
    const untilMs = performance.now() + arrivalLimitMs;
    for (let now = await this.count(what); now < count; now = await this.count(what)) {
      if (performance.now() > untilMs) throw new Error(`${now} of ${count} spans arrived`);
      await pause(20);
    }
  }
}

/** The OpenTelemetry Collector on one thread, OTLP over HTTP both ways, joining like ours. */
export async function startCollector(backend: string): Promise<{ target: Target; port: number }> {
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
  const target = new Target(collectorPath, args, { GOMAXPROCS: "1" });
  const untilMs = performance.now() + arrivalLimitMs;
  while (!(await accepts(port))) {
    if (performance.now() > untilMs) throw new Error("the Collector did not start");
    await pause(50);
  }
  return { target, port };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
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
