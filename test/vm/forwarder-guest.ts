/**
 * Runs in a guest as its first process in the place of the agent, for forwarder.test.ts: a forwarder on AF_VSOCK that
 * prints what it takes, the log of those who sent it included, and a sender inside the guest with an agent's log port,
 * over the kernel's loopback.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { LogPort } from "../../src/agent/log-port.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import { Forwarder } from "../../src/forwarder/forward.ts";
import { readArguments } from "../../src/forwarder/read-arguments.ts";
import { resolveConfig } from "../../src/forwarder/resolve-config.ts";
import { kernelReach, type VsockReach } from "../../src/forwarder/vsock-logs.ts";
import { loadModule } from "../../src/sys/load-module.ts";
import { mount } from "../../src/sys/mount.ts";
import { powerOff } from "../../src/sys/power.ts";
import { parseAddress } from "../../src/vsock/address.ts";
import { dialSocket } from "../../src/vsock/dial.ts";
import { tracedPod } from "../forwarder/traced-pod.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const tell = (fields: LogFields, message: string): void => say(`${message} ${JSON.stringify(fields)}`);
const log: Log = { debug: tell, info: tell, warn: tell, error: tell, child: () => log };

const logFolder = "/tmp/logs";
const logEveryMs = 100;

/** Peers that are no guests on a host are to be taken for some here: there are no others. */
const anyReach: VsockReach = { ...kernelReach, addressOf: (cid, port) => ({ kind: "vsock", cid, port }) };

async function openForwarder(): Promise<void> {
  const given = readArguments(["--vsock", "--file", "-", "--guest-logs", logFolder]);
  if ("text" in given) throw new Error(given.text);
  const config = await resolveConfig(given, {});
  const forwarder = new Forwarder(config, async (text) => void process.stdout.write(text), log, anyReach);
  await forwarder.open(config, async () => undefined);
}

/** The agent's own log port. */
async function openLogPort(): Promise<void> {
  const port = new LogPort({ write() {}, flush() {}, async close() {} });
  port.write('{"msg":"line of the loopback"}\n');
  await port.listen(parseAddress("vsock://-1:1025"), "any");
}

/** Prints each line of a guest once, with the name of its file. */
function showLogs(): void {
  const shown = new Set<string>();
  setInterval(() => {
    const lines = existsSync(logFolder) ? readdirSync(logFolder).flatMap(linesOf) : [];
    for (const line of lines) if (!shown.has(line)) say(line);
    for (const line of lines) shown.add(line);
  }, logEveryMs);
}

const linesOf = (name: string): string[] =>
  readFileSync(join(logFolder, name), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => `${name} has ${line}`);

/** Posts a pod's spans as an agent does; gives the status of the answer. */
async function postOverLoopback(): Promise<number | undefined> {
  const socket = await dialSocket(parseAddress("vsock://1:10240"), { timeoutMs: 60_000 });
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/x-protobuf" };
    const outgoing = request(
      { createConnection: () => socket, path: "/v1/traces", method: "POST", headers },
      (answer) => {
        resolve(answer.statusCode);
        socket.destroy();
      },
    );
    outgoing.on("error", reject);
    outgoing.end(tracedPod().body);
  });
}

async function main(): Promise<void> {
  if (process.pid !== 1) throw new Error("only for the first process of a guest");
  await mount({ source: "proc", target: "/proc", type: "proc" });
  await mount({ source: "devtmpfs", target: "/dev", type: "devtmpfs" });
  const modules = process.env["test_modules"] ?? "";
  for (const path of modules.split(",").filter(Boolean)) await loadModule(path);
  await mount({ source: "tmpfs", target: "/tmp", type: "tmpfs" });
  await openForwarder();
  await openLogPort();
  showLogs();
  say(`loopback answered ${await postOverLoopback()}`);
}

void main().catch((error) => {
  say(`test program failed: ${error.stack}`);
  // Whoever runs this on a machine must keep the machine.
  return process.pid === 1 ? powerOff() : undefined;
});
