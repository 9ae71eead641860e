/**
 * The demo: a forwarder, an agent as first process, a pod that `agentctl demo` plays and checks, and the trace of it all.
 *
 *   node scripts/demo.ts         the agent is PID 1 of private namespaces, unix sockets take the place of VSOCK
 *   node scripts/demo.ts vm      the agent is PID 1 of a QEMU guest, reached over VSOCK
 *   node scripts/demo.ts vm FORMAT [systemd] [dax] [amd64|arm64]
 *                                the same with an image of that kind, which `make rootfs` has made
 *
 * Whatever happens, also Ctrl-C, nothing that was started stays, and nothing is left but the trace in build/demo.
 */
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bootGuest } from "./boot-guest.ts";
import { busyboxRootfs } from "./busybox-rootfs.ts";
import { Companion } from "./companion.ts";
import { asArchitecture, ownArchitecture } from "./image/architecture.ts";
import { bootOptions } from "./image/boot-options.ts";
import { asImageKind, type ImageKind } from "./image/image-kind.ts";
import { systemRoot } from "./image/system-root.ts";
import { whyNoVm } from "./vm-requirements.ts";

/** The agent that the pod is played against. */
type Stage = {
  readonly address: string;
  /** Of the unix socket that the agent's spans come to. */
  readonly tracePath: string;
  /** Resolves when it can be connected to without doing harm. */
  ready(): Promise<void>;
  /** Resolves when the agent, or the guest around it, has ended by itself. */
  readonly ended: Promise<string>;
  /** It has less than all the powers of root: its containers are asked to do with less. */
  readonly confined: boolean;
  /** What it wrote, for the user when something went wrong. */
  log(): string;
  close(): Promise<void>;
};

const root = join(import.meta.dirname, "..");
const build = (name: string): string => join(root, "build", name);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The agent answers DestroySandbox, sends its last spans, and ends; no time to wait for, but for what hangs. */
const endMs = 60_000;
/** The trace is looked at afterwards, so that every span counts, also on a busy machine. */
const flushLimitS = "20";
/** The same when the pod was given up. */
const lastMs = 2_000;
/** Emulation on a busy machine takes its time. */
const bootWait = "300s";
const callLimit = "300s";

/** CAP_SYS_RESOURCE, which an ordinary user and root of many a container lack: without it nobody is spared by the OOM killer. */
function mayRaisePriority(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const sysResource = 24n;
  return process.getuid?.() === 0 && ((BigInt(`0x${effective}`) >> sysResource) & 1n) === 1n;
}

function agentStage(folder: string, rootSpan: string): Stage {
  const tracePath = join(folder, "trace.sock");
  const agent = new Companion("agent", join(root, "scripts/namespaces.sh"), [build("kata-agent")], {
    KATA_AGENT_SERVER_ADDR: `unix://${folder}/agent.sock`,
    KATA_AGENT_TRACING: "collated",
    KATA_AGENT_TRACE_ADDR: `unix://${tracePath}`,
    KATA_AGENT_TRACE_FLUSH_TIMEOUT: flushLimitS,
    TRACEPARENT: rootSpan,
  });
  return {
    address: `unix://${folder}/agent.sock`,
    tracePath,
    ready: () => Promise.resolve(),
    ended: agent.ended.then((how) => `the agent, PID 1 of its namespaces, ended with ${how}`),
    confined: !mayRaisePriority(),
    log: () => agent.output(),
    // It may be on its way out. PID 1 ignores SIGTERM; when the wrapper is killed, so is all inside.
    close: () => closeAgent(agent),
  };
}

/** What follows `vm` on the command line: which image, the initrd when nothing is said. */
function wantedImage([format = "cpio", ...rest]: readonly string[]): ImageKind {
  const init = rest.includes("systemd") ? "systemd" : "agent";
  const dax = rest.includes("dax");
  const architecture = rest.find((word) => word.endsWith("64"));
  return asImageKind(architecture ? asArchitecture(architecture) : ownArchitecture(), { format, init, dax });
}

async function guestStage(rootSpan: string, kind: ImageKind): Promise<Stage> {
  const missing = whyNoVm(kind.architecture);
  if (missing !== undefined) throw new Error(missing);
  const image = bootOptions(kind);
  const trace = `agent.trace=collated agent.trace_parent=${rootSpan}`;
  const guest = await bootGuest({ ...image, append: `${image.append ?? ""} ${trace}` });
  return {
    address: guest.address(1024),
    tracePath: guest.listenPath(10240),
    ready: () => guest.listening(),
    ended: guest.exited.then(({ code, signal }) => `QEMU ended by itself with ${code ?? signal}`),
    confined: false,
    log: () => guest.console(),
    close: () => guest.kill(),
  };
}

/** What the containers hold: programs for the processor of the guest. */
function workload(path: string, kind: ImageKind | undefined): string {
  if (kind === undefined || kind.architecture === ownArchitecture()) return busyboxRootfs(path);
  return busyboxRootfs(path, join(systemRoot(kind.architecture, say).path, "bin/busybox"));
}

async function within<T>(ms: number, work: Promise<T>, otherwise: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(otherwise)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function closeAgent(agent: Companion): Promise<void> {
  await within(lastMs, agent.ended, "").catch(() => agent.close("SIGKILL"));
}

/** Plays the pod; the spans of agentctl itself go the same way as those of the agent. */
async function play(stage: Stage, rootfs: string, rootSpan: string): Promise<void> {
  const trace = ["--trace-addr", `unix://${stage.tracePath}`];
  const rootless = stage.confined ? ["--rootless"] : [];
  const args = [
    "--addr",
    stage.address,
    "--wait",
    bootWait,
    "--timeout",
    callLimit,
    ...trace,
    "demo",
    "--root-span",
    rootSpan,
    ...rootless,
    rootfs,
  ];
  const demo = new Companion("agentctl", build("agentctl"), args, {}, "inherit");
  const how = await demo.ended;
  if (how !== "status 0") throw new Error(`the pod was not as expected (agentctl: ${how})`);
  const startMs = performance.now();
  say(`  ${await within(endMs, stage.ended, "the agent did not end after DestroySandbox")}`);
  say(`  ${(performance.now() - startMs).toFixed(0)} ms after agentctl was done`);
}

/** Draws the trace and leaves the file as `kept`, whole or not at all: demos may run side by side. */
async function showTrace(file: string, kept: string): Promise<void> {
  say("");
  const drawing = new Companion(
    "agentctl",
    build("agentctl"),
    ["trace", "--all", "--whole", file],
    {},
    "inherit",
  );
  const how = await drawing.ended;
  mkdirSync(dirname(kept), { recursive: true });
  copyFileSync(file, `${kept}.${process.pid}`);
  renameSync(`${kept}.${process.pid}`, kept);
  say(`\nthe same as OTLP JSON: ${kept}`);
  if (how !== "status 0") throw new Error("the trace is not whole");
}

async function run(vm: boolean, folder: string): Promise<void> {
  const file = join(folder, "trace.jsonl");
  await using closing = new AsyncDisposableStack();
  // The agent and agentctl are told the same root, so that boot, pod and power-off are one trace.
  const rootSpan = `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
  const kind = vm ? wantedImage(process.argv.slice(3)) : undefined;
  const stage = kind ? await guestStage(rootSpan, kind) : agentStage(folder, rootSpan);
  closing.defer(() => stage.close());
  const listen = ["--listen", `unix://${stage.tracePath}`, "--file", file, "--log-level", "warn"];
  const forwarder = new Companion("forwarder", build("kata-trace-forwarder"), listen, {});
  closing.defer(() => forwarder.close());
  try {
    await stage.ready();
    await play(stage, workload(join(folder, "rootfs"), kind), rootSpan);
  } catch (error) {
    if (interrupted) throw new Error("interrupted");
    say(`\nthe agent wrote:\n${stage.log()}\n${forwarder.output()}`);
    throw error;
  }
  await forwarder.close();
  await showTrace(file, join(build("demo"), [...process.argv.slice(2), "trace.jsonl"].join("-")));
}

let interrupted = false;
function onInterrupt(): void {
  interrupted = true;
  Companion.endAll();
}

const folder = mkdtempSync(join(tmpdir(), "kata-demo-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
process.stdout.on("error", () => {}); // the reader of a pipe may leave before we have said all
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, onInterrupt);
try {
  await run(process.argv[2] === "vm", folder);
} catch (error) {
  say(`demo: ${(error as Error).message}`);
  process.exitCode = 1;
}
