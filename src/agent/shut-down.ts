import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import { powerOff, syncDisks } from "../sys/power.ts";
import type { Reaper } from "../sys/reaper.ts";
import type { Tracing } from "../trace/tracing.ts";
import type { Role } from "./role.ts";
import type { AgentServer } from "./serve.ts";

/** What is running and has to end, in the reverse order of its start. */
export type Running = {
  server: AgentServer | undefined;
  tracing: Tracing | undefined;
  reaper: Reaper;
  role: Role;
  log: Log;
  flushMs: number;
};

/** How long calls that are still open when the sandbox ends may take to answer. */
const openCallsMs = 200;

/**
 * Ends the agent (agent-api 1.4 step 14, wire-and-tracing 4.5): no new connections, open calls answered or cut, spans
 * flushed within their limit, disks synced; a guest's first process then powers the machine off, which ends us.
 */
export async function shutDown({ server, tracing, reaper, role, log, flushMs }: Running): Promise<void> {
  await server?.close(openCallsMs).catch((error) => log.warn({ err: error }, "server did not close"));
  if (tracing !== undefined) {
    const { sent, dropped, complete } = await tracing.shutdown(flushMs);
    if (!complete) log.warn({ sent, dropped }, "trace is not complete");
  }
  reaper.close();
  log.info({}, "shutdown complete");
  if (role !== "machine-init") return;
  await syncDisks().catch((error) => log.warn({ error: AgentError.from(error).message }, "sync failed"));
  await powerOff();
}
