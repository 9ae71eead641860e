/**
 * `agentctl doctor`: the way of a span from the option that asks for it to the backend that keeps it, one link after the
 * other. A call is made and its spans are followed; the first link that is broken ends the walk.
 */
import { AgentError } from "../../base/agent-error.ts";
import { delay } from "../../base/deadline.ts";
import { TraceControlMethods } from "../../gen/methods.ts";
import type { TraceStatus } from "../../gen/trace-control.ts";
import { type Address, parseAddress } from "../../vsock/address.ts";
import { type Agent, Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { type Finding, lookAtCmdline, lookAtConfig } from "../doctor-words.ts";
import { ExitStatus } from "../exit-status.ts";
import { type ForwarderState, forwarderState } from "../forwarder-state.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../usage-error.ts";

type Given = { readonly config?: string; readonly cmdline?: string; readonly forwarder?: string };
type Step = Finding & { readonly name: string };

/** How long spans may take to the receiver, and from the forwarder to its backends. */
const flushMs = 10_000;
const backendMs = 10_000;
const lookEveryMs = 100;
const adminMs = 2_000;

/** `agentctl doctor`. */
export function addDoctor(registry: Registry): void {
  const command = addCommand<Given>(
    registry,
    {
      usage: "doctor",
      summary: "follow a span from the option to the backend, and tell what to do where it ends",
      examples: [
        "--addr hvsock:///run/vm.sock:1024 doctor --forwarder tcp://127.0.0.1:10241",
        "--addr vsock://42:1024 doctor --config /etc/kata-containers/configuration.toml --cmdline /proc/4711/cmdline",
      ],
    },
    (session, _none, given) => examine(session, given),
  );
  command.option("--config <file>", "configuration of the Kata runtime");
  command.option("--cmdline <file>", "command line of the guest's kernel, or of the VMM that was told it");
  command.option(
    "--forwarder <address>",
    "admin address of kata-trace-forwarder, such as tcp://127.0.0.1:10241",
  );
}

async function examine(session: Session, given: Given): Promise<number> {
  const admin = given.forwarder === undefined ? undefined : adminAddress(given.forwarder);
  const steps: Step[] = [];
  for await (const step of walk(session, given, admin)) {
    steps.push(step);
    if (!session.options.json) await session.answer({}, line(step));
    if (step.state === "broken") break;
  }
  if (session.options.json) await session.printJson({ steps });
  return steps.some(({ state }) => state === "broken") ? ExitStatus.failed : ExitStatus.done;
}

function adminAddress(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new UsageError(AgentError.from(error).message);
  }
}

function line({ name, state, what }: Step): string {
  const sign = { ok: "ok", broken: "BROKEN", skipped: "-" }[state];
  return `${sign.padEnd(7)} ${name.padEnd(20)} ${what}`;
}

async function* walk(session: Session, given: Given, admin: Address | undefined): AsyncGenerator<Step> {
  yield { name: "option", ...(await lookAtConfig(given.config)) };
  yield { name: "kernel command line", ...(await lookAtCmdline(given.cmdline)) };
  const agent = await session.agent().catch((error: Error) => error);
  if (agent instanceof Error) {
    if (agent instanceof UsageError) throw agent;
    const what = `${agent.message}: is the guest running, and is this its agent's address?`;
    return yield { name: "agent", state: "broken", what };
  }
  const before = admin === undefined ? undefined : await stateOf(admin);
  const status = await agent.call(TraceControlMethods.Status, {}).catch((error: Error) => error);
  yield { name: "agent", ...lookAtStatus(status) };
  if (status instanceof Error) return;
  yield { name: "vsock", ...(await lookAtDelivery(agent, status, before)) };
  if (admin === undefined || before === undefined) {
    const what = "--forwarder ADDRESS asks kata-trace-forwarder (its --admin)";
    yield { name: "forwarder", state: "skipped", what };
    return yield { name: "backend", state: "skipped", what: "the forwarder knows" };
  }
  const after = await stateOf(admin);
  yield { name: "forwarder", ...lookAtForwarder(before, after) };
  if (before instanceof Error || after instanceof Error) return;
  yield { name: "backend", ...(await lookAtBackends(admin, before)) };
}

function lookAtStatus(status: TraceStatus | Error): Finding {
  if (status instanceof Error)
    return { state: "broken", what: `it does not tell of its tracing: ${status.message}` };
  const { on, type, level, address } = status;
  if (!on)
    return {
      state: "broken",
      what: "it does not trace: agentctl trace start, or agent.trace for the next guest",
    };
  if (level === "error" || level === "warn")
    return { state: "broken", what: `level ${level} records no calls: agentctl trace level info` };
  return { state: "ok", what: `it traces, ${type}, level ${level}, to ${address}` };
}

async function lookAtDelivery(
  agent: Agent,
  { address, sent }: TraceStatus,
  forwarder: ForwarderState | Error | undefined,
): Promise<Finding> {
  await agent.call(Method.GetGuestDetails, {});
  const flushed = await agent
    .call(TraceControlMethods.Flush, { timeout_ms: flushMs })
    .catch((error: Error) => error);
  if (!(flushed instanceof Error)) {
    if (flushed.sent > sent)
      return { state: "ok", what: `${flushed.sent - sent} spans were acknowledged at ${address}` };
    return {
      state: "broken",
      what: "calls are not recorded: look at the rules and the sampling (agentctl trace status)",
    };
  }
  const listens = "is a forwarder listening there (--listen, --watch)?";
  const why = {
    none: `nobody acknowledges spans at ${address}: ${listens}`,
    away: `nobody acknowledges spans at ${address}, and the forwarder does not answer either: is it running?`,
    full: "the forwarder has no room, since no backend takes anything: look at its log",
    there: `the forwarder is there, but not reached at ${address}: ${listens}`,
  };
  return { state: "broken", what: `${why[stateWord(forwarder)]} (${flushed.message})` };
}

function stateWord(forwarder: ForwarderState | Error | undefined): "none" | "away" | "full" | "there" {
  if (forwarder === undefined) return "none";
  if (forwarder instanceof Error) return "away";
  return forwarder.ready ? "there" : "full";
}

function lookAtForwarder(before: ForwarderState | Error, after: ForwarderState | Error): Finding {
  const failure = [before, after].find((each) => each instanceof Error);
  if (failure !== undefined || before instanceof Error || after instanceof Error)
    return { state: "broken", what: `it does not answer: ${failure?.message}; was it started with --admin?` };
  if (after.received <= before.received)
    return { state: "broken", what: "the agent's spans went to somebody else: compare the addresses" };
  return { state: "ok", what: `it has taken ${after.received - before.received} spans meanwhile` };
}

/** Every backend has to have taken something since. */
async function lookAtBackends(admin: Address, before: ForwarderState): Promise<Finding> {
  const untilMs = performance.now() + backendMs;
  for (;;) {
    const now = await stateOf(admin);
    if (now instanceof Error) return { state: "broken", what: `the forwarder has gone: ${now.message}` };
    const behind = [...now.sent].filter(([name, count]) => count <= (before.sent.get(name) ?? 0));
    if (behind.length === 0 && now.sent.size > 0)
      return { state: "ok", what: `${[...now.sent.keys()].join(", ")} took them` };
    const lost = behind.filter(([name]) => (now.dropped.get(name) ?? 0) > (before.dropped.get(name) ?? 0));
    if (lost.length > 0)
      return {
        state: "broken",
        what: `${names(lost)} had spans given up: refused, or no room; the forwarder's log says why`,
      };
    if (performance.now() > untilMs)
      return {
        state: "broken",
        what: `${names(behind) || "no backend"} took nothing: is its URL right, and is it up?`,
      };
    await delay(lookEveryMs);
  }
}

const names = (backends: readonly (readonly [name: string, count: number])[]) =>
  backends.map(([name]) => name).join(", ");

function stateOf(admin: Address): Promise<ForwarderState | Error> {
  return forwarderState(admin, adminMs).catch((error: Error) => error);
}
