/**
 * Hooks of containers (agent-api 3.3.6). A hook that fails, hangs or is not there never fails a request: it is logged.
 * crun thinks otherwise, so each hook is run by a small program of ours that always succeeds (`sys/native/hook.c`) and
 * writes a report into the bundle.
 *
 *   | stage           | who runs it                   | where                             |
 *   |-----------------|-------------------------------|-----------------------------------|
 *   | prestart        | crun create, by our program   | the agent's namespaces            |
 *   | createRuntime   | nobody: it is the host's      |                                   |
 *   | createContainer | crun create, by our program   | the container's, before its root  |
 *   | startContainer  | crun exec, before crun start  | the container's                   |
 *   | poststart       | the agent, by our program     | the agent's namespaces            |
 *   | poststop        | the agent, by our program     | the agent's namespaces            |
 */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import type { Log } from "../base/log.ts";
import { hookProgram } from "../sys/hook-program.ts";
import { run } from "../sys/run.ts";
import { type LiveSpan, noteSpan, span, traceEnvironment } from "../trace/span.ts";
import { withTraceEnvironment } from "../trace/trace-environment.ts";
import type { Bundle } from "./bundle.ts";
import { type HookReport, hookReport, succeeded } from "./hook-report.ts";
import type { OciHook, OciHooks, OciSpec } from "./oci.ts";

/** The stages that crun runs, in the middle of a create. */
const crunStages = ["prestart", "createContainer"] as const;
/** A stage that is run in the guest. */
export type HookStage = Exclude<keyof OciHooks, "createRuntime">;

/** Hooks that crun runs during a create: how long they may take, and who is to be told once it has ended. */
export type CrunHooks = { maxMs: number; tell(live: LiveSpan): void };

const defaultTimeoutSeconds = 10;
/** More than any hook is waited for, whatever its document says: requests have limits of their own. */
const maxTimeoutSeconds = 600;
/** Our program ends its hook at the limit; only if it cannot is it ended itself. */
const graceMs = 5_000;
const maxOutputBytes = 4096;

/** How long a hook may run, milliseconds. */
export function hookTimeoutMs({ timeout = defaultTimeoutSeconds }: OciHook): number {
  return Math.min(timeout, maxTimeoutSeconds) * 1000;
}

/**
 * The hooks of a document as crun gets them: those of its stages, each run by our program. `trace`: their
 * environment entries of a span, from `traceEnvironment`.
 */
export function crunHooks(
  spec: OciSpec,
  bundle: Bundle,
  trace: readonly string[] = [],
): OciHooks | undefined {
  const hasUsers = spec.linux?.namespaces?.some(({ type }) => type === "user") === true;
  const forCrun: OciHooks = {};
  for (const stage of crunStages) {
    const hooks = spec.hooks?.[stage] ?? [];
    if (hooks.length === 0) continue;
    forCrun[stage] = hooks.map((hook, index) => {
      const report = bundle.file(reportName(stage, index));
      // In a user namespace of the container the program is not our root, and could not make the file.
      writeFileSync(report, "", { mode: 0o600 });
      if (stage === "createContainer" && hasUsers) chmodSync(report, 0o666);
      // Without a time for crun to keep: ours is kept by the program, and crun 1.8 waits for signals in a way that
      // misses the end of a hook when another child ends beside it.
      return { path: hookProgram(), args: ["kata-hook", ...programArgs(hook, report, trace)] };
    });
  }
  return Object.keys(forCrun).length === 0 ? undefined : forCrun;
}

/** What there is to know of the hooks of a spec that {@link crunHooks} has prepared. */
export function crunHooksOf(spec: OciSpec, bundle: Bundle, log: Log): CrunHooks | undefined {
  const all = crunStages.flatMap((stage) =>
    (spec.hooks?.[stage] ?? []).map((hook, index) => ({
      stage,
      index,
      maxMs: hookTimeoutMs(hook) + graceMs,
    })),
  );
  if (all.length === 0) return undefined;
  return {
    maxMs: all.reduce((sum, { maxMs }) => sum + maxMs, 0),
    tell(live) {
      for (const { stage, index } of all) {
        const report = readReport(bundle, reportName(stage, index));
        // A create that failed before its hooks has nothing to tell of them.
        if (report.how === "unknown") continue;
        if (report.ran !== undefined)
          noteSpan("hook", reportAttributes(stage, index, report), at(report.ran), live);
        tellHook(log, stage, index, report);
      }
    },
  };
}

/** Runs the hooks of a stage in the agent's own namespaces, one after the other, with `state` on stdin. Never rejects. */
export async function runHooks(
  stage: "poststart" | "poststop",
  hooks: readonly OciHook[],
  state: object,
  bundle: Bundle,
  log: Log,
): Promise<void> {
  const stdin = Buffer.from(JSON.stringify(state));
  for (const [index, hook] of hooks.entries()) {
    await tracedHook(stage, index, log, async () => {
      const name = reportName(stage, index);
      const request = {
        file: hookProgram(),
        args: programArgs(hook, bundle.file(name), traceEnvironment()),
        env: {},
        stdin,
      };
      await run(
        { ...request, cwd: bundle.path },
        { timeoutMs: hookTimeoutMs(hook) + graceMs, maxOutputBytes },
      ).catch(() => undefined);
      const report = readReport(bundle, name);
      bundle.drop(name);
      return report;
    });
  }
}

/** Runs one hook in a span and tells how it went. Never rejects. */
export async function tracedHook(
  stage: HookStage,
  index: number,
  log: Log,
  work: () => Promise<HookReport>,
): Promise<void> {
  await span("hook", { "kata.hook.type": stage, "kata.hook.index": index }, async (live) => {
    const report = await work();
    live.set(reportAttributes(stage, index, report));
    tellHook(log, stage, index, report);
  });
}

/** The kernel's monotonic clock is also that of `performance.now()`, which counts from another moment. */
function at({ fromUs, toUs }: NonNullable<HookReport["ran"]>): { startMs: number; endMs: number } {
  const zeroMs = performance.now() - Number(process.hrtime.bigint() / 1000n) / 1000;
  return { startMs: zeroMs + fromUs / 1000, endMs: zeroMs + toUs / 1000 };
}

function programArgs(hook: OciHook, report: string, trace: readonly string[]): string[] {
  const { path, args = [path] } = hook;
  const env = withTraceEnvironment(hook.env ?? [], trace);
  return [report, `${hookTimeoutMs(hook) / 1000}`, `${env.length}`, ...env, path, ...args];
}

function reportName(stage: HookStage, index: number): string {
  return `hook-${stage}-${index}`;
}

function readReport(bundle: Bundle, name: string): HookReport {
  try {
    return hookReport(readFileSync(bundle.file(name), "utf8"));
  } catch {
    return hookReport("");
  }
}

function reportAttributes(stage: HookStage, index: number, { how, number, lastLine }: HookReport) {
  return {
    "kata.hook.type": stage,
    "kata.hook.index": index,
    "process.exit.code": how === "exited" ? number : undefined,
    "kata.process.signal": how === "signaled" ? number : undefined,
    "kata.timed_out": how === "timeout" ? true : undefined,
    "kata.hook.stderr": lastLine === "" ? undefined : lastLine,
  };
}

function tellHook(log: Log, stage: HookStage, index: number, report: HookReport): void {
  const { ran: _toldBySpan, ...ended } = report;
  const fields = { stage, index, ...ended };
  if (succeeded(report)) log.info(fields, "hook ended");
  else log.warn(fields, "hook failed");
}
