/**
 * Runs in a guest as its first process in the place of the agent, for forwarder.test.ts: a forwarder on AF_VSOCK that
 * prints what it takes, and a sender inside the guest, over the kernel's loopback.
 */
import { request } from "node:http";
import type { Log, LogFields } from "../../src/base/log.ts";
import { Forwarder } from "../../src/forwarder/forward.ts";
import { readArguments } from "../../src/forwarder/read-arguments.ts";
import { resolveConfig } from "../../src/forwarder/resolve-config.ts";
import { loadModule } from "../../src/sys/load-module.ts";
import { mount } from "../../src/sys/mount.ts";
import { powerOff } from "../../src/sys/power.ts";
import { parseAddress } from "../../src/vsock/address.ts";
import { dialSocket } from "../../src/vsock/dial.ts";
import { tracedPod } from "../forwarder/traced-pod.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const tell = (fields: LogFields, message: string): void => say(`${message} ${JSON.stringify(fields)}`);
const log: Log = { debug: tell, info: tell, warn: tell, error: tell, child: () => log };

async function openForwarder(): Promise<void> {
  const given = readArguments(["--vsock", "--file", "-"]);
  if ("text" in given) throw new Error(given.text);
  const config = await resolveConfig(given, {});
  const forwarder = new Forwarder(config, async (text) => void process.stdout.write(text), log);
  await forwarder.open(config, async () => undefined);
}

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
  await openForwarder();
  say(`loopback answered ${await postOverLoopback()}`);
}

void main().catch((error) => {
  say(`test program failed: ${error.stack}`);
  // Whoever runs this on a machine must keep the machine.
  return process.pid === 1 ? powerOff() : undefined;
});
