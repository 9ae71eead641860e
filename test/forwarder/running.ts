import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import type { Log, LogFields } from "../../src/base/log.ts";
import { Forwarder } from "../../src/forwarder/forward.ts";
import { readArguments } from "../../src/forwarder/read-arguments.ts";
import { resolveConfig } from "../../src/forwarder/resolve-config.ts";

const main = fileURLToPath(new URL("../../src/forwarder/main.ts", import.meta.url));

/** A folder that is gone after the test. */
export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "kata-forwarder-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A line of its log; one that is not JSON, such as usage, stands in `msg`. */
export type LogLine = { msg: string; [field: string]: unknown };

/** A forwarder at work. */
export type Running = {
  /** Log lines so far. */
  log: readonly LogLine[];
  /** Resolves at the first log line with this message. */
  logged(message: string): Promise<LogLine>;
  stdout(): string;
  /** Prometheus' text of all counters; of a program only when it was given `--admin unix://…`. */
  metrics(): Promise<string>;
  /** Ends it as a service manager would; gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/** Lines that can be waited for, until `ended` rejects. */
class Lines {
  readonly all: LogLine[] = [];
  #wake = Promise.withResolvers<void>();

  add(line: LogLine): void {
    this.all.push(line);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async find(message: string, ended: Promise<never>): Promise<LogLine> {
    for (;;) {
      const line = this.all.find((each) => each.msg === message);
      if (line !== undefined) return line;
      await Promise.race([this.#wake.promise, ended]);
    }
  }
}

/** Starts the program as a user does, and waits until it listens. */
export function spawnForwarder(t: Test, ...args: string[]): Promise<Running> {
  return spawnForwarderBy(t, [], ...args);
}

/** The same through a program that becomes it, such as `nsenter`. */
export async function spawnForwarderBy(t: Test, by: readonly string[], ...args: string[]): Promise<Running> {
  const [file = "", ...rest] = [...by, process.execPath, main, ...args];
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "close");
  const lines = new Lines();
  createInterface({ input: child.stderr }).on("line", (line) =>
    lines.add(line.startsWith("{") ? JSON.parse(line) : { msg: line }),
  );
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += chunk;
  });
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    if (child.exitCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  t.teardown(() => stop("SIGKILL"));
  const ended = exited.then(() => {
    throw new Error(`ended with ${child.exitCode}: ${JSON.stringify(lines.all)}`);
  });
  ended.catch(() => {});
  const logged = (message: string) => lines.find(message, ended);
  await logged("listening");
  const admin = args[args.indexOf("--admin") + 1]?.replace(/^unix:\/\//, "") ?? "";
  const metrics = async () => `${(await post(admin, "", {}, "/metrics", "GET")).body}`;
  return { log: lines.all, logged, stdout: () => printed, metrics, stop };
}

/** The same in this process, for tests of what does not depend on being a program. */
export async function runForwarder(t: Test, ...args: string[]): Promise<Running> {
  const given = readArguments(args);
  if ("text" in given) throw new Error(given.text);
  const lines = new Lines();
  const keep = (fields: LogFields, msg: string) => lines.add({ ...fields, msg });
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  let printed = "";
  const print = async (text: string) => {
    printed += text;
  };
  const config = await resolveConfig(given, {});
  const forwarder = new Forwarder(config, print, log);
  await forwarder.open(config, async () => forwarder.reconfigure(await resolveConfig(given, {})));
  const stop = async () => {
    await forwarder.close();
    return 0;
  };
  t.teardown(stop);
  const never = new Promise<never>(() => {});
  return {
    log: lines.all,
    logged: (message) => lines.find(message, never),
    stdout: () => printed,
    metrics: () => forwarder.metrics.text(),
    stop,
  };
}

/** Requests in a file of OTLP JSON lines. */
export function linesOf(path: string): { resourceSpans: unknown[] }[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** One HTTP request over a Unix socket. */
export function post(
  socketPath: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
  path = "/v1/traces",
  method = "POST",
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const all = { "content-type": "application/x-protobuf", ...headers };
    const outgoing = request({ socketPath, path, method, headers: all, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A request with one span of this name, as protobuf. */
export function exportOf(name: string, traceByte = 1): Uint8Array {
  const nameBytes = Buffer.from(name);
  const span = Buffer.concat([
    Buffer.from([0x0a, 16, ...Array(16).fill(traceByte)]),
    Buffer.from([0x12, 8, ...Array(8).fill(2)]),
    Buffer.from([0x2a, nameBytes.length]),
    nameBytes,
  ]);
  const scope = Buffer.concat([Buffer.from([0x12, span.length]), span]);
  const resource = Buffer.concat([Buffer.from([0x12, scope.length]), scope]);
  return Buffer.concat([Buffer.from([0x0a, resource.length]), resource]);
}
