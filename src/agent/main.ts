/**
 * The agent: first process of a Kata guest, or an ordinary process for development.
 *
 * Reads as its list of duties. Whatever fails before the server is up ends the program, and with it the guest; from
 * then on only DestroySandbox, SIGTERM (unless we are the first process) or a crash does.
 */
import { parseArgs } from "node:util";
import { AgentError } from "../base/agent-error.ts";
import { version } from "../base/version.ts";
import { Registry } from "../container/registry.ts";
import { createDispatcher } from "../rpc/dispatch.ts";
import { startPolicy } from "../sandbox/start-policy.ts";
import { agentHandlers } from "../service/handlers.ts";
import { policyInterceptor } from "../service/policy-interceptor.ts";
import { raiseDescriptorLimit } from "../sys/descriptor-limit.ts";
import { endProcess } from "../sys/end-process.ts";
import { hasPolicyEngine } from "../sys/policy-engine.ts";
import { powerOff } from "../sys/power.ts";
import { setProcessName } from "../sys/process-name.ts";
import { Reaper } from "../sys/reaper.ts";
import { becomeChildSubreaper } from "../sys/subreaper.ts";
import { BootSteps } from "../trace/boot-steps.ts";
import { anyCid } from "../vsock/address.ts";
import { bootGuest, bootMounts } from "./boot.ts";
import { createLog } from "./create-log.ts";
import { FirstCall } from "./first-call.ts";
import { takeInitdata } from "./initdata.ts";
import { LogPort } from "./log-port.ts";
import { LogSink } from "./log-sink.ts";
import type { LogTarget } from "./log-target.ts";
import { noteStart } from "./note-start.ts";
import { openConsole } from "./open-console.ts";
import { openJournal } from "./open-journal.ts";
import { loadOptions } from "./options/load-options.ts";
import { ownsMachine, type Role, roleOf } from "./role.ts";
import { serve } from "./serve.ts";
import { type EndReason, type Running, shutDown } from "./shut-down.ts";
import { newTraceSwitch, startAsAsked } from "./start-tracing.ts";
import { wireRooms } from "./wire-rooms.ts";

const stdoutFd = 1;
/** Enough for 1,000 connections and as many containers; the kernel's default for the first process is 1,024. */
const descriptorLimit = 1_048_576;
const nothingLeftMs = 2_000;
const initdataStep = { "kata.boot.step": "initdata" };

async function main(role: Role): Promise<void> {
  const { values } = parseArgs({
    options: { config: { type: "string", short: "c" }, version: { type: "boolean", short: "v" } },
    // The kernel hands every word of its command line that it does not know to the first process.
    strict: role !== "machine-init",
  });
  if (values.version === true && role !== "machine-init") return printVersion();
  setProcessName("kata-agent");
  const steps = new BootSteps();
  if (role !== "service") await bootMounts(role, steps);
  noteStart(role, steps);
  const configFile = typeof values.config === "string" ? values.config : undefined;
  const { options, warnings } = await steps.step("options", { "kata.boot.step": "options" }, () =>
    loadOptions({ configFile, env: process.env, cmdlineFile: "/proc/cmdline" }),
  );
  const stdout = new LogSink(stdoutFd);
  const logPort = options.logPort > 0 ? new LogPort(stdout) : undefined;
  const logTarget = logPort ?? stdout;
  // Whatever ends the start, the lines that wait for a client are told.
  await using lastWords = new AsyncDisposableStack();
  lastWords.defer(() => endLog(logTarget));
  const log = createLog(options.logLevel, logTarget);
  for (const warning of warnings) log.warn({}, warning);
  log.info({ role, trace: options.trace, address: options.serverAddress }, "agent starts");
  const reaper = new Reaper(log);
  const registry = new Registry();
  const annotationsOf = (id: string) => registry.find(id)?.spec.annotations;
  const sources = { options, role, env: process.env, annotationsOf, log };
  const tracing = newTraceSwitch(sources);
  const running: Running = {
    server: undefined,
    rooms: undefined,
    tracing,
    reaper,
    role,
    log,
    logTarget,
    background: new AsyncDisposableStack(),
    flushMs: options.traceFlushMs,
  };
  const ended = endings(running);
  if (role !== "service") await bootGuest(role, steps, log);
  await logPort
    ?.listen({ kind: "vsock", cid: anyCid, port: options.logPort }, options.vsockPeers)
    .catch((error) => log.error({ error: AgentError.from(error).message }, "log port was not opened"));
  raiseDescriptorLimit(descriptorLimit);
  becomeChildSubreaper();
  reaper.start();
  await openConsole(options, running.background, log);
  await openJournal(options, logPort, running.background, log);
  const initdata = ownsMachine()
    ? await steps.step("initdata", initdataStep, () => takeInitdata(log))
    : undefined;
  const policy = await steps.step("policy", { "kata.boot.step": "policy" }, () =>
    startPolicy({
      file: options.policyFile,
      replacement: initdata?.policy,
      record: options.logLevel === "debug" || options.logLevel === "trace",
      log,
    }),
  );
  await startAsAsked(tracing, sources, steps);
  const rooms = await wireRooms({
    options,
    role,
    policy,
    reaper,
    registry,
    tracing,
    log,
    onDestroyed: ended.destroyed,
  });
  running.rooms = rooms;
  const firstCall = new FirstCall(steps);
  const interceptors = [
    tracing.interceptor,
    firstCall.interceptor,
    policyInterceptor(policy),
    tracing.annotations,
  ];
  running.background.defer(async () => rooms.memAgent?.close());
  running.server = await steps.step("listen", { "kata.boot.step": "listen" }, () =>
    serve(
      options.serverAddress,
      createDispatcher(agentHandlers(rooms), interceptors, rooms.callCounts),
      log,
      options.vsockPeers,
    ),
  );
  firstCall.listening();
  log.info({ address: options.serverAddress }, "listening");
  // Modules of devices that few requests need must not hold up the first one.
  rooms.uevents.start();
  const reason = await ended.promise;
  log.info({ reason }, "agent ends");
  await shutDown(running, reason);
}

/** What ends the agent once it runs, as one promise of the reason. */
function endings(running: Running): { promise: Promise<EndReason>; destroyed: () => void } {
  const { promise, resolve } = Promise.withResolvers<EndReason>();
  // The answer to DestroySandbox is written in this turn or the next; the server's grace covers the rest.
  const destroyed = () => setImmediate(() => resolve("DestroySandbox"));
  if (running.role === "service") process.on("SIGTERM", () => resolve("SIGTERM"));
  else process.on("SIGTERM", () => running.log.info({}, "SIGTERM is ignored by the first process"));
  let crashing = false;
  const crash = (error: unknown) => {
    // A second fault on the way out must not begin the way out again.
    if (crashing) return;
    crashing = true;
    void crashed(running, error);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  return { promise, destroyed };
}

/** A fault of ours: told, what can be flushed is flushed, and a guest powers off instead of panicking its kernel. */
async function crashed(running: Running, error: unknown): Promise<void> {
  setTimeout(() => fatal(running.role, "crash while ending"), running.flushMs + nothingLeftMs);
  running.log.error({ err: error }, "agent crashed");
  await running.tracing.shutdown();
  await endLog(running.logTarget);
  fatal(running.role, AgentError.from(error).message);
}

async function endLog(logTarget: LogTarget): Promise<void> {
  if (logTarget instanceof LogPort && !logTarget.connected) logTarget.giveUp();
  await logTarget.close();
}

function fatal(role: Role, message: string): never {
  process.stderr.write(`kata-agent: ${message}\n`);
  try {
    if (role === "machine-init") powerOff();
  } finally {
    endProcess(1);
  }
}

function printVersion(): void {
  const policy = hasPolicyEngine() ? "agent-policy" : "no agent-policy";
  process.stdout.write(`kata-agent version ${version}, type: node, node ${process.version}, ${policy}\n`);
}

const role = roleOf(process.pid);
main(role).then(
  () => endProcess(0),
  (error) => fatal(role, AgentError.from(error).message),
);
