import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Log } from "../base/log.ts";
import { runTool } from "../sys/run-tool.ts";
import { span } from "../trace/span.ts";

/** How long the restore program waits for another that holds the lock of the tables (agent-api 3.22). */
const lockSeconds = 5;
/** The time for the lock, as much for the input, and some for the work. */
const limits = {
  timeoutMs: 20_000,
  /** An answer has to fit into a frame of 4 MiB. */
  maxOutputBytes: 4 * 1024 * 1024 - 4096,
};

/** The packet filter's rules as text. What the program printed counts, whatever its status. @throws INTERNAL. */
export async function savePacketFilter(family: 4 | 6, log: Log): Promise<Uint8Array> {
  const program = `${programOf(family)}-save`;
  const { status, stdout, stderr } = await span(program, {}, () => runTool(program, [], limits));
  if (status !== 0) log.warn({ program, status, stderr }, "rules of the packet filter may be incomplete");
  return stdout;
}

/** Replaces the tables that `rules` has; each table as a whole or not at all. @throws INTERNAL with the complaint. */
export async function restorePacketFilter(family: 4 | 6, rules: Uint8Array): Promise<Uint8Array> {
  const program = `${programOf(family)}-restore`;
  return span(program, {}, async () => {
    const args = ["--wait", String(lockSeconds)];
    const { status, stdout, stderr } = await runTool(program, args, limits, rules);
    if (status === 0) return stdout;
    throw new AgentError(Code.internal, `${program} ended with status ${status}: ${stderr}`);
  });
}

function programOf(family: 4 | 6): string {
  return family === 4 ? "iptables" : "ip6tables";
}
