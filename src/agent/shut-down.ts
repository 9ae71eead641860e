import { AgentError } from "../base/agent-error.ts";
import { abortable, deadline } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { endContainers } from "../service/end-containers.ts";
import type { Rooms } from "../service/rooms.ts";
import { powerOff, syncDisks } from "../sys/power.ts";
import type { Reaper } from "../sys/reaper.ts";
import { span } from "../trace/span.ts";
import type { TraceSwitch } from "../trace/trace-switch.ts";
import type { LogTarget } from "./log-target.ts";
import type { Role } from "./role.ts";
import type { AgentServer } from "./serve.ts";

/** What is running and has to end, in the reverse order of its start. */
export type Running = {
  server: AgentServer | undefined;
  rooms: Rooms | undefined;
  tracing: TraceSwitch;
  reaper: Reaper;
  role: Role;
  log: Log;
  /** Where the log goes. */
  logTarget: LogTarget;
  /** Undoes what runs beside the calls, such as the debug console. */
  background: AsyncDisposableStack;
  flushMs: number;
};

/** What may end the agent. */
export type EndReason = "DestroySandbox" | "SIGTERM";

/** How long calls that are still open when the sandbox ends may take to answer. */
const openCallsMs = 200;
/** How long the disks may take; a dead share would take for ever. */
const syncMs = 2_000;
/** How long what runs beside the calls may take to end; a killed shell may hang in a dead share. */
const backgroundMs = 1_000;
/** How long the containers that a signal has left running may take to end. */
const containersMs = 5_000;

/**
 * Ends the agent (agent-api 1.4 step 14, wire-and-tracing 4.5): no new connections, open calls answered or cut, what
 * a sandbox that nobody destroyed has left running ended, spans flushed within their limit, disks synced; a guest's
 * first process then powers the machine off, which ends us.
 */
export async function shutDown(running: Running, reason: EndReason): Promise<void> {
  const { tracing, reaper, role, log, logTarget } = running;
  await span("shutdown", { "kata.reason": reason }, () => endAll(running));
  // It tells itself what was delivered and what was lost.
  await tracing.shutdown();
  reaper.close();
  log.info({}, "shutdown complete");
  await logTarget.close();
  if (role !== "machine-init") return;
  await within(syncMs, syncDisks()).catch((error) =>
    log.warn({ error: AgentError.from(error).message }, "sync failed"),
  );
  powerOff();
}

/** What a trace can still tell of. Never rejects. */
async function endAll({ server, rooms, background, log }: Running): Promise<void> {
  await span("close server", {}, async () => server?.close(openCallsMs)).catch((error) =>
    log.warn({ err: error }, "server did not close"),
  );
  if (rooms !== undefined) {
    rooms.uevents.close();
    await rooms.passedStreams?.close();
    await span("end sandbox", {}, () => endSandbox(rooms)).catch((error) =>
      log.warn({ err: error }, "sandbox did not end"),
    );
  }
  await span("end background", {}, () => within(backgroundMs, background.disposeAsync())).catch((error) =>
    log.warn({ error: AgentError.from(error).message }, "background work did not end"),
  );
}

async function within(timeoutMs: number, work: PromiseLike<unknown>): Promise<void> {
  const limit = deadline(timeoutMs);
  try {
    await abortable(Promise.resolve(work), limit.signal);
  } finally {
    limit.done();
  }
}

async function endSandbox(rooms: Rooms): Promise<void> {
  const limit = deadline(containersMs);
  try {
    const ended = endContainers(rooms).catch((error) =>
      rooms.log.warn({ err: error }, "a container did not end"),
    );
    await abortable(ended, limit.signal);
    await abortable(rooms.sandbox.destroy(), limit.signal);
  } finally {
    limit.done();
  }
}
