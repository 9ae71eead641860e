import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Test } from "tap";
import { bootGuest, type GuestOptions } from "../../scripts/boot-guest.ts";
import { busyboxRootfs } from "../../scripts/busybox-rootfs.ts";
import { readTraceFile } from "../../src/ctl/trace-file.ts";
import { buildTraces } from "../../src/view/trace-tree.ts";
import { runForwarder, temporaryFolder } from "../forwarder/running.ts";

const agentctl = join(import.meta.dirname, "../../build/agentctl");
const traceParent = () => `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;

/**
 * The main job of a guest: it boots, runs a pod of `agentctl demo`, whose spans arrive as one whole trace, and switches
 * itself off. Returns what the guest wrote to its console.
 */
export async function doMainJob(t: Test, options: GuestOptions): Promise<string> {
  const rootSpan = traceParent();
  const words = `agent.trace=collated agent.trace_parent=${rootSpan} ${options.append ?? ""}`;
  await using guest = await bootGuest({ ...options, append: words });
  const folder = temporaryFolder(t);
  const spans = join(folder, "spans.jsonl");
  const receiver = `unix://${guest.listenPath(10240)}`;
  const forwarder = await runForwarder(t, "--listen", receiver, "--file", spans);
  await guest.listening();
  const pod = ["demo", "--root-span", rootSpan, busyboxRootfs(join(folder, "rootfs"))];
  const waits = ["--wait", "300s", "--timeout", "300s"];
  const args = ["--addr", guest.address(1024), ...waits, "--trace-addr", receiver, ...pod];
  const { stdout } = await promisify(execFile)(agentctl, args);
  t.match(stdout, /16 steps, all as expected/);
  t.match(await guest.exited, { code: 0, signal: null }, "the guest switched itself off");
  await forwarder.stop();
  const traces = buildTraces((await readTraceFile(spans)).spans);
  t.equal(traces.length, 1);
  t.match(traces[0], { missingParentCount: 0, errorCount: 0 });
  return guest.console();
}
