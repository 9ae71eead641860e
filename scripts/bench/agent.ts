// Measures the agent beside its baselines and prints a table; the same as JSON goes to build/bench.json. Everything
// happens in a private world (namespaces.sh), which takes processes, mounts and control groups with it when it ends.
// Nothing here passes or fails: the figures belong to the machine, the ratios to one run.
//
//   node scripts/bench/agent.ts            QUICK=1: a short form
//                                          CRUN=PATH: another crun, such as the static one in .cache/crun
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { busyRow, callRows, type Targets, unheardRows } from "./calls.ts";
import { Runtime } from "./client.ts";
import { BareCrun } from "./crun.ts";
import { goClient } from "./go.ts";
import { execRows, lifeRows } from "./life.ts";
import { type Machine, machine } from "./machine.ts";
import { built, Server, script } from "./process.ts";
import { type Row, row, table } from "./row.ts";
import { ratePerSecond } from "./samples.ts";
import { type Effort, fullEffort, quickEffort } from "./shape.ts";
import { memoryRows, startAgent, startBareNode, startRows } from "./start.ts";
import { streamRows } from "./streams.ts";

const inside = process.argv[2] === "--inside";
const settleMs = 3_000;
const container = "bench";
const frozen = "bench-frozen";

/** Starts this program again as the first process of a private world. */
function enterWorld(): number {
  const args = [process.execPath, import.meta.filename, "--inside"];
  const env = { ...process.env, KATA_BENCH_CLIENT: goClient() };
  const { status, error } = spawnSync(script("../namespaces.sh"), args, { stdio: "inherit", env });
  if (error !== undefined) throw error;
  return status ?? 1;
}

/** Has everybody in this world run another crun than the machine's. */
function takeCrun(program: string): void {
  const crun = execFileSync("sh", ["-c", "command -v crun"], { encoding: "utf8" }).trim();
  execFileSync("mount", ["--bind", resolve(program), crun]);
}

async function bench(effort: Effort): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), "kata-bench-"));
  try {
    return [...(await startRows(dir, effort)), ...(await serverRows(dir, effort))];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function serverRows(dir: string, effort: Effort): Promise<Row[]> {
  const socket = (name: string) => join(dir, `${name}.sock`);
  const forward = ["--listen", `unix://${socket("trace")}`, "--file", "/dev/null", "--log-level", "error"];
  await using bare = await startBareNode(socket("bare"));
  await using echo = await Server.start(socket("echo"), [
    process.execPath,
    script("echo.ts"),
    socket("echo"),
  ]);
  await using _forwarder = await Server.start(socket("trace"), [built("kata-trace-forwarder"), ...forward]);
  await using agent = await startAgent(socket("agent"));
  await using traced = await startAgent(socket("traced"), socket("trace"));
  await using unheard = await startAgent(socket("unheard"), socket("nobody"));
  await sleep(settleMs);
  const rows = memoryRows(bare, agent, traced);
  const targets: Targets = {
    echo: { socket: echo.socket, traced: false },
    agent: { socket: agent.socket, traced: false },
    traced: { socket: traced.socket, traced: true },
    unheard: { socket: unheard.socket, traced: true },
  };
  rows.unshift(...(await callRows(targets, effort)));
  rows.push(...(await unheardRows(targets.unheard, () => unheard.memory().rssAnon, effort.seconds)));
  rows.push(...(await containerRows(dir, agent, traced, targets, effort)));
  return rows;
}

async function containerRows(
  dir: string,
  agent: Server,
  traced: Server,
  targets: Targets,
  effort: Effort,
): Promise<Row[]> {
  const rootfs = makeRootfs(dir);
  await using runtime = await Runtime.connect(agent.socket, rootfs);
  await using tracedRuntime = await Runtime.connect(traced.socket, rootfs);
  await runtime.createSandbox("bench");
  await tracedRuntime.createSandbox("bench-traced");
  await runtime.run(container, ["sleep", "1000000"]);
  const crun = new BareCrun("/run/bench-crun", container, rootfs);
  const lives = { agent: runtime, traced: tracedRuntime, crun };
  await runtime.life(); // the first one opens what stays open, such as the watch for memory shortage
  const early = agent.descriptors();
  const rows = await lifeRows(lives, effort);
  rows.push(...(await execRows(lives, container, effort)));
  rows.push(...(await streamRows(runtime, container, effort)));
  await runtime.run(frozen, ["sleep", "1000000"]);
  await runtime.freeze(frozen);
  const seconds = effort.seconds * 2;
  rows.push(
    await busyRow(
      targets.agent,
      ratePerSecond(10, seconds + 1, () => runtime.life()),
      seconds,
    ),
  );
  await runtime.remove(frozen);
  await sleep(settleMs);
  rows.push(row("RssAnon after all this", "MB", agent.memory().rssAnon, "≤ 30 MB"));
  await callRows(targets, { ...effort, rounds: 1 });
  await lifeRows(lives, effort);
  await sleep(settleMs);
  rows.push(row("RssAnon after calls and lives again", "MB", agent.memory().rssAnon, "flat"));
  rows.push(row("RssAnon after all this, traced", "MB", traced.memory().rssAnon, ""));
  rows.push(row("descriptors more than before", "", agent.descriptors() - early, "0"));
  await runtime.remove(container);
  return rows;
}

/** The least that a container needs: busybox under the names that are used here. */
function makeRootfs(dir: string): string {
  const rootfs = join(dir, "rootfs");
  for (const name of ["bin", "dev", "proc", "sys", "tmp"]) mkdirSync(join(rootfs, name), { recursive: true });
  cpSync("/bin/busybox", join(rootfs, "bin/busybox"), { dereference: true });
  for (const name of ["true", "sleep", "sh", "cat", "dd"]) symlinkSync("busybox", join(rootfs, "bin", name));
  return rootfs;
}

function report(about: Machine, rows: readonly Row[]): void {
  writeFileSync(built("bench.json"), `${JSON.stringify({ machine: about, rows }, undefined, 2)}\n`);
  const facts = Object.entries(about).map(([name, value]) => `${name}: ${value}`);
  process.stdout.write(`${facts.join("\n")}\n\n${table(rows)}\n`);
}

if (!inside) process.exit(enterWorld());
const { QUICK = "", CRUN = "" } = process.env;
if (CRUN !== "") takeCrun(CRUN);
const effort = QUICK === "" ? fullEffort : quickEffort;
report(machine(), await bench(effort));
process.exit(0);
