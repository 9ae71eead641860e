/**
 * The hooks of a container that run in it after its root is in place and before its program (agent-api 3.3.6). crun
 * would run them in init itself, and a hook that fails would be the end of init. So each is a process of its own beside
 * the init that still waits: same user, rights, filter and namespaces, but the arguments of the hook, and its
 * environment, to which crun adds a HOME where there is none.
 */
import { AgentError } from "../base/agent-error.ts";
import { abortable, deadline } from "../base/deadline.ts";
import type { Exit } from "../base/exit.ts";
import type { ContainerId } from "../base/ids.ts";
import type { Bundle } from "../runtime/bundle.ts";
import type { Crun, Launched } from "../runtime/crun.ts";
import { type HookReport, lastLineOf } from "../runtime/hook-report.ts";
import { hookTimeoutMs, tracedHook } from "../runtime/hooks.ts";
import type { OciHook, OciProcess, OciSpec } from "../runtime/oci.ts";
import type { ReadEnd } from "../runtime/read-end.ts";
import { traceEnvironment } from "../trace/span.ts";
import { withTraceEnvironment } from "../trace/trace-environment.ts";

const sigkill = 9;
const killedMs = 5_000;
const pieceBytes = 4096;

/** Runs the startContainer hooks, one after the other, with `state` on stdin. Never rejects: failures are logged. */
export async function runStartHooks(
  crun: Crun,
  id: ContainerId,
  bundle: Bundle,
  spec: OciSpec,
  state: object,
): Promise<void> {
  const input = Buffer.from(JSON.stringify(state));
  for (const [index, hook] of (spec.hooks?.startContainer ?? []).entries()) {
    await tracedHook("startContainer", index, crun.log, async () => {
      try {
        const launched = await crun.exec(id, bundle, hookProcess(spec, hook));
        return await watched(launched, input, hookTimeoutMs(hook));
      } catch (error) {
        return { how: "failed", number: undefined, lastLine: lastLineOf(AgentError.from(error).message) };
      }
    });
  }
}

/** crun looks its program up by the first argument, so a hook's own idea of its name is lost. */
function hookProcess(spec: OciSpec, { path, args = [], env: wanted = [] }: OciHook): OciProcess {
  const env = [...withTraceEnvironment(wanted, traceEnvironment())];
  const user = { uid: 0, gid: 0 };
  return { user, ...spec.process, terminal: false, args: [path, ...args.slice(1)], env, cwd: "/" };
}

async function watched({ child, io }: Launched, input: Uint8Array, timeoutMs: number): Promise<HookReport> {
  const limit = deadline(timeoutMs);
  const reading = new AbortController();
  let said = "";
  const keep = (data: Uint8Array) => {
    said = (said + Buffer.from(data).toString()).slice(-pieceBytes);
  };
  try {
    // One that does not read its input is no failure.
    const fed = io.stdin.write(input, () => limit.signal).then(() => io.stdin.end());
    const read = [drained(io.stdout, reading.signal, () => undefined)];
    if (io.stderr !== undefined) read.push(drained(io.stderr, reading.signal, keep));
    const all = Promise.allSettled([fed, ...read]);
    const exit = await ended(child, limit.signal);
    reading.abort();
    io.stdin.close();
    await all;
    io.stderr?.finish();
    if (io.stderr !== undefined) await drained(io.stderr, new AbortController().signal, keep);
    return { ...(exit === undefined ? timedOut : how(exit)), lastLine: lastLineOf(said) };
  } finally {
    limit.done();
    io.close();
  }
}

const timedOut = { how: "timeout", number: undefined } as const;

function how(exit: Exit): Pick<HookReport, "how" | "number"> {
  if (exit.how === "exited") return { how: "exited", number: exit.code };
  return { how: "signaled", number: exit.signal };
}

/** How it ended; undefined when it had to be killed. */
async function ended(child: Launched["child"], limit: AbortSignal): Promise<Exit | undefined> {
  try {
    return await abortable(child.exited, limit);
  } catch {
    child.signal(sigkill);
    const patience = deadline(killedMs);
    await abortable(child.exited, patience.signal).catch(() => undefined);
    patience.done();
    return undefined;
  }
}

async function drained(end: ReadEnd, signal: AbortSignal, keep: (data: Uint8Array) => void): Promise<void> {
  for (;;) {
    const data = await end.read(pieceBytes, () => signal);
    if (data.length === 0) return;
    keep(data);
  }
}
