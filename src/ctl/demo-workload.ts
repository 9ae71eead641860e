import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Agent, Method } from "./agent.ts";
import { copyInto, guestRootfs } from "./copy-into.ts";
import { execAndGather, readUntil } from "./guest-process.ts";
import { ExpectationError, expectEqual, type Narrator } from "./narrator.ts";
import { buildSpec } from "./spec.ts";

/** The pod that is played, and a directory on our side for what is copied into it. */
export type DemoPod = {
  readonly sandboxId: string;
  readonly hostname: string;
  readonly appId: string;
  readonly rootless: boolean;
  readonly scratch: string;
};

/** Says that it is up, echoes its input, and ends with 5 when it is asked to. */
const workload = `trap 'echo bye; exit 5' TERM
echo "workload is up" >&2
cat
echo "end of input"
sleep 600 &
wait $!`;
const workloadStatus = 5;
const sigterm = 15;

/** Bigger than two requests of CopyFile can carry. */
const fileBytes = 2_500_000;
/** Many times what a pipe and our reader hold, so that back-pressure is needed. */
const outputBytes = 4 * 1024 * 1024;

async function copyOfFile(agent: Agent, pod: DemoPod): Promise<string> {
  const data = randomBytes(fileBytes);
  await writeFile(join(pod.scratch, "random"), data);
  const totals = await copyInto(agent, join(pod.scratch, "random"), `${guestRootfs(pod.appId)}/random`);
  const { status, stdout } = await execAndGather(agent, pod.appId, ["/bin/md5sum", "/random"]);
  expectEqual("exit status", status, 0);
  expectEqual(
    "checksum in the container",
    stdout.split(" ")[0],
    createHash("md5").update(data).digest("hex"),
  );
  return `${totals.bytes} bytes in ${totals.requests} requests, same checksum inside`;
}

async function create(agent: Agent, pod: DemoPod): Promise<string> {
  const OCI = buildSpec({
    containerId: pod.appId,
    sandboxId: pod.sandboxId,
    role: "container",
    name: "demo",
    rootPath: guestRootfs(pod.appId),
    args: ["/bin/sh", "-c", workload],
    rootless: pod.rootless,
  });
  await agent.call(Method.CreateContainer, { container_id: pod.appId, exec_id: pod.appId, OCI });
  await agent.call(Method.StartContainer, { container_id: pod.appId });
  const text = await readUntil(agent, Method.ReadStderr, pod.appId, "\n");
  expectEqual("stderr", text, "workload is up\n");
  return "stderr: workload is up";
}

async function echo(agent: Agent, pod: DemoPod): Promise<string> {
  const target = { container_id: pod.appId, exec_id: pod.appId };
  const data = new TextEncoder().encode("hello from the host\n");
  const { len } = await agent.call(Method.WriteStdin, { ...target, data });
  expectEqual("bytes taken", len, data.length);
  expectEqual("echo", await readUntil(agent, Method.ReadStdout, pod.appId, "\n"), "hello from the host\n");
  await agent.call(Method.CloseStdin, target);
  expectEqual("after the end", await readUntil(agent, Method.ReadStdout, pod.appId, "\n"), "end of input\n");
  return "echoed, then saw the end of its input";
}

async function exitCode(agent: Agent, pod: DemoPod): Promise<string> {
  const program = "cat /proc/sys/kernel/hostname; echo to stderr >&2; exit 3";
  const outcome = await execAndGather(agent, pod.appId, ["/bin/sh", "-c", program]);
  expectEqual("outcome", outcome, { status: 3, stdout: `${pod.hostname}\n`, stderr: "to stderr\n" });
  return `host name ${pod.hostname}, exit status 3`;
}

async function terminal(agent: Agent, pod: DemoPod): Promise<string> {
  const size = { row: 40, column: 132 };
  const program = ["/bin/sh", "-c", "tty >/dev/null && read word && stty size && echo got $word"];
  const { status, stdout } = await execAndGather(agent, pod.appId, program, { size, input: "key\n" });
  expectEqual("exit status", status, 0);
  if (!stdout.includes("40 132\r\n") || !stdout.includes("got key\r\n")) {
    throw new ExpectationError(`the terminal said ${JSON.stringify(stdout)}`);
  }
  return "stty size says 40 132";
}

async function bigOutput(agent: Agent, pod: DemoPod): Promise<string> {
  const program = ["/bin/head", "-c", String(outputBytes), "/dev/zero"];
  const { status, stdout } = await execAndGather(agent, pod.appId, program);
  expectEqual("exit status", status, 0);
  expectEqual("bytes of output", stdout.length, outputBytes);
  return `${outputBytes / 1024 / 1024} MiB arrived whole`;
}

async function stats(agent: Agent, pod: DemoPod): Promise<string> {
  const { cgroup_stats: cgroup } = await agent.call(Method.StatsContainer, { container_id: pod.appId });
  if (cgroup === undefined) throw new ExpectationError("no statistics in the answer");
  const cpuMs = Number(cgroup.cpu_stats?.cpu_usage?.total_usage ?? 0n) / 1e6;
  const memory = cgroup.memory_stats?.usage?.usage;
  const pids = cgroup.pids_stats?.current;
  if (cpuMs === 0) return "answered; the container has no control group here";
  const parts = [`cpu ${cpuMs.toFixed(1)} ms`];
  if (memory !== undefined) parts.push(`memory ${(Number(memory) / 1024).toFixed(0)} KiB`);
  if (pids !== undefined) parts.push(`${pids} processes`);
  return parts.join(", ");
}

async function end(agent: Agent, pod: DemoPod): Promise<string> {
  const target = { container_id: pod.appId, exec_id: pod.appId };
  const waiting = agent.call(Method.WaitProcess, target);
  await agent.call(Method.SignalProcess, { container_id: pod.appId, exec_id: "", signal: sigterm });
  expectEqual("last words", await readUntil(agent, Method.ReadStdout, pod.appId, "bye\n"), "bye\n");
  expectEqual("exit status", (await waiting).status, workloadStatus);
  return `said bye, exit status ${workloadStatus}`;
}

/** Plays the life of the workload container, up to its end; removing it is left to the caller. */
export async function playWorkload(narrator: Narrator, agent: Agent, pod: DemoPod): Promise<void> {
  await narrator.step("workload: create and start", () => create(agent, pod));
  await narrator.step("workload: stdin and stdout", () => echo(agent, pod));
  await narrator.step("exec: output and exit status", () => exitCode(agent, pod));
  await narrator.step("exec: terminal and its size", () => terminal(agent, pod));
  await narrator.step("exec: much output", () => bigOutput(agent, pod));
  await narrator.step("copy a file into the container", () => copyOfFile(agent, pod));
  await narrator.step("statistics", () => stats(agent, pod));
  await narrator.step("workload: SIGTERM and wait", () => end(agent, pod));
}
