import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Test, test } from "tap";
import { buildFolder, ownArchitecture, traitsOf } from "../../../scripts/image/architecture.ts";
import { systemRoot } from "../../../scripts/image/system-root.ts";
import { freePort } from "../../../scripts/loopback.ts";
import { version } from "../../../src/base/version.ts";

/**
 * The host's programs for the other architecture, run by QEMU's emulation of a process. That cannot start another program
 * without the machine's kernel being told of it, so Node and the launcher are tried apart.
 */
const architecture = ownArchitecture() === "amd64" ? "arm64" : "amd64";
const root = join(import.meta.dirname, "../../..");
const build = buildFolder(root, architecture);
const emulator = `qemu-${traitsOf(architecture).machine}`;
const env = { PATH: process.env["PATH"] };

function whyNot(): string | false {
  if (!existsSync(join(build, "agentctl"))) return `nothing was built for ${architecture} here`;
  return spawnSync(emulator, ["--version"]).error !== undefined && `${emulator} is missing`;
}

const skip = whyNot();

/** The command that runs a program of ours, its libraries being those of that architecture's Debian. */
function commandOf(program: string): [string, string, string, string, string] {
  const { path } = systemRoot(architecture, () => undefined);
  return [emulator, "-L", path, join(build, "lib/node"), join(build, "lib", `${program}.cjs`)];
}

async function agentctl(...args: string[]): Promise<string> {
  const [file, ...rest] = commandOf("agentctl");
  return (await promisify(execFile)(file, [...rest, ...args], { env })).stdout;
}

test(`agentctl for ${architecture} says its version, and draws a trace as this machine's does`, {
  skip,
}, async (t) => {
  t.equal((await agentctl("--version")).trim(), version);
  const trace = ["trace", "--all", join(root, "test/vectors/pod-trace.jsonl")];
  const { stdout } = await promisify(execFile)(join(root, "build/agentctl"), trace, { env });
  t.match(stdout, /CreateContainer/);
  t.equal(await agentctl(...trace), stdout);
});

/** A forwarder for the other architecture that has said that it listens; `end` gives its exit code. */
async function startForwarder(t: Test, ...options: string[]): Promise<{ end(): Promise<unknown> }> {
  const [file, ...rest] = commandOf("kata-trace-forwarder");
  const child = spawn(file, [...rest, ...options], { env, stdio: ["ignore", "ignore", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  const exit = once(child, "exit");
  const told: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    told.push(line);
    if (line.includes('"listening"')) break;
  }
  if (!told.at(-1)?.includes('"listening"')) throw new Error(told.join("\n"));
  child.stderr.resume();
  const end = async (): Promise<unknown> => {
    child.kill("SIGTERM");
    const [code] = await exit;
    return code;
  };
  return { end };
}

test(`the forwarder for ${architecture} takes a span and writes it down`, { skip }, async (t) => {
  const file = join(t.testdir(), "spans.jsonl");
  const port = await freePort();
  const forwarder = await startForwarder(t, "--listen", `tcp://127.0.0.1:${port}`, "--file", file);
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const times = { startTimeUnixNano: "1700000000000000000", endTimeUnixNano: "1700000000250000000" };
  const spans = [{ ...ids, ...times, name: "abroad", kind: 1 }];
  const taken = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
  });
  t.equal(taken.status, 200);
  t.equal(await forwarder.end(), 0);
  t.match(readFileSync(file, "utf8"), /"name":"abroad"/);
});

test(`the launcher for ${architecture} runs, and says what it misses`, { skip }, (t) => {
  const alone = join(t.testdir(), "agentctl");
  copyFileSync(join(build, "agentctl"), alone);
  const { status, stderr } = spawnSync(emulator, [alone], { encoding: "utf8", env });
  t.equal(status, 127);
  t.match(stderr, /^agentctl: neither lib nor .* holds node and agentctl\.cjs$/m);
  t.end();
});
