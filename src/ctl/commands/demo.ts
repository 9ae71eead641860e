import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServingStatus } from "../../gen/health.ts";
import { type Agent, Method } from "../agent.ts";
import { SpanKind } from "../client-trace.ts";
import { addCommand, type Registry } from "../command.ts";
import { copyInto, guestRootfs } from "../copy-into.ts";
import { type DemoPod, playWorkload } from "../demo-workload.ts";
import { expectEqual, Narrator } from "../narrator.ts";
import { startPause } from "../pause-container.ts";
import { sandboxRequest } from "../sandbox-request.ts";
import type { Session } from "../session.ts";
import { stopContainer } from "../stop-container.ts";

type Given = { readonly rootless?: boolean };

/** After a failure the sandbox is still taken down, so that a guest does not live on. */
const lastCallMs = 10_000;

async function openSandbox(agent: Agent, pod: DemoPod): Promise<string> {
  await agent.call(
    Method.CreateSandbox,
    sandboxRequest({ sandboxId: pod.sandboxId, hostname: pod.hostname }),
  );
  return `host name ${pod.hostname}, 64 MiB of shared memory`;
}

async function details(agent: Agent): Promise<string> {
  const answer = await agent.call(Method.GetGuestDetails, { mem_block_size: true, mem_hotplug_probe: true });
  const version = answer.agent_details?.version ?? "";
  expectEqual("the agent tells its version", version !== "", true);
  return `agent ${version}${answer.agent_details?.init_daemon ? ", PID 1 of the guest" : ""}`;
}

async function copyRootfs(agent: Agent, pod: DemoPod, rootfs: string): Promise<string> {
  let [requests, bytes] = [0, 0];
  for (const id of [pod.sandboxId, pod.appId]) {
    const totals = await copyInto(agent, rootfs, guestRootfs(id));
    requests += totals.requests;
    bytes += totals.bytes;
  }
  return `two root file systems, ${(bytes / 1024 / 1024).toFixed(1)} MiB in ${requests} requests`;
}

async function play(narrator: Narrator, agent: Agent, pod: DemoPod, rootfs: string): Promise<void> {
  await narrator.step("check", async () => {
    expectEqual("status", (await agent.call(Method.Check, {})).status, ServingStatus.SERVING);
    return "serving";
  });
  await narrator.step("create the sandbox", () => openSandbox(agent, pod));
  await narrator.step("guest details", () => details(agent));
  await narrator.step("copy the root file systems", () => copyRootfs(agent, pod, rootfs));
  await narrator.step("pause: create and start", async () => {
    await startPause(agent, { ...pod, rootPath: guestRootfs(pod.sandboxId) });
    return "sleeping";
  });
  await playWorkload(narrator, agent, pod);
  for (const id of [pod.appId, pod.sandboxId]) {
    await narrator.step(`remove ${id === pod.appId ? "the workload" : "pause"}`, async () => {
      await stopContainer(agent, id);
      return "gone";
    });
  }
  await narrator.step("destroy the sandbox", async () => {
    await agent.call(Method.DestroySandbox, {});
    return "answered, the agent ends now";
  });
}

async function playOrDestroy(narrator: Narrator, agent: Agent, pod: DemoPod, rootfs: string): Promise<void> {
  try {
    await play(narrator, agent, pod, rootfs);
  } catch (error) {
    const limits = { signal: AbortSignal.timeout(lastCallMs), timeoutMs: lastCallMs };
    await agent.call(Method.DestroySandbox, {}, limits).catch(() => {});
    throw error;
  }
}

async function demo(session: Session, rootfs: string, given: Given): Promise<void> {
  const sandboxId = "demo-pod";
  const scratch = await mkdtemp(join(tmpdir(), "agentctl-demo-"));
  const pod = {
    sandboxId,
    hostname: "demo",
    appId: "web",
    rootless: given.rootless ?? false,
    scratch,
  };
  const narrator = new Narrator(session);
  try {
    await session.trace.span("pod", SpanKind.internal, async (span) => {
      span.set("kata.sandbox.id", sandboxId);
      await playOrDestroy(narrator, await session.agent(), pod, rootfs);
    });
    const summary = `${narrator.steps.length} steps, all as expected; trace ${session.trace.context.traceId}`;
    await session.answer({ sandbox_id: sandboxId, steps: narrator.steps }, summary);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** `agentctl demo ROOTFS`: a real pod with everything that can be asked of it, told and checked step by step. */
export function addDemo(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "demo <rootfs>",
      summary: "play a pod with pause and workload, check all that is seen; the agent ends with it",
      examples: ["--addr unix:///run/agent.sock --trace-addr unix:///run/trace.sock demo ./busybox"],
    },
    async (session, [rootfs = ""], given) => {
      await demo(session, rootfs, given);
      return undefined;
    },
  )
    .option("--rootless", "the agent lacks some of the powers of root: one mapped id, no OOM priority")
    .option("--root-span <traceparent>", "ids of the root span, which the agent was given as TRACEPARENT");
}
