import type { Command } from "commander";
import { type MethodDescriptor, TraceControlMethods } from "../gen/methods.ts";
import type { TraceSettingsChange, TraceStatus } from "../gen/trace-control.ts";
import { addCommand, type Registry } from "./command.ts";
import { parseDurationMs } from "./duration.ts";
import { wholeNumber } from "./option-values.ts";
import type { Session } from "./session.ts";
import { textLines } from "./text-lines.ts";

type Given = { readonly collated?: boolean };
/** Makes the request of a subcommand from its operand. */
type Ask = (
  operand: string,
  given: Given,
) => { method: MethodDescriptor<object, TraceStatus>; request: object };

const maxFlushMs = 60_000;
const { Status, Start, Stop, Configure, Flush } = TraceControlMethods;

const configure = (request: Partial<TraceSettingsChange>) => ({ method: Configure, request });

/** What can be done to a running agent: usage, summary, example, request. */
const actions: readonly (readonly [usage: string, summary: string, example: string, ask: Ask])[] = [
  [
    "status",
    "whether the agent traces, how, and what became of the spans",
    "",
    () => ({ method: Status, request: {} }),
  ],
  [
    "start",
    "begin a trace of the running sandbox",
    "--collated",
    (_none, { collated }) => ({ method: Start, request: { type: collated === true ? "collated" : "" } }),
  ],
  ["stop", "end it, and wait until its spans are out", "", () => ({ method: Stop, request: {} })],
  [
    "level <level>",
    "how much is traced: error, warn, info, debug, trace",
    "debug",
    (level) => configure({ level }),
  ],
  [
    "sampling <per-million>",
    "share of the calls that no caller has sampled",
    "10000",
    (text) => configure({ sampling_per_million: wholeNumber(text, "per-million", 0, 1_000_000) }),
  ],
  [
    "rules <rules>",
    'sampling by method, PATTERN:off or PATTERN:N, comma between; "" for none',
    "Check:off,Read*:1000",
    (rules) => configure({ rules }),
  ],
  ["target <address>", "where spans go from now on", "vsock://2:10240", (address) => configure({ address })],
  [
    "flush [time]",
    "wait until every span that has ended is acknowledged",
    "5s",
    (time) => ({
      method: Flush,
      request: {
        timeout_ms: time === "" ? 0 : wholeNumber(`${parseDurationMs(time)}`, "time", 1, maxFlushMs),
      },
    }),
  ],
];

/** `agentctl trace status`, `start`, `stop`, …: tracing of a running agent, below `agentctl trace`. */
export function addTraceControl(registry: Registry, trace: Command): void {
  for (const [usage, summary, example, ask] of actions) {
    const [name = ""] = usage.split(" ", 1);
    const command = addCommand<Given>(
      { ...registry, program: trace },
      {
        usage,
        summary,
        examples: [`--addr unix:///run/agent.sock trace ${name} ${example}`.trimEnd()],
      },
      (session, [operand = ""], given) => run(session, ask(operand, given)),
    );
    if (name === "start") command.option("--collated", "below the spans of the callers");
  }
}

async function run(session: Session, { method, request }: ReturnType<Ask>): Promise<undefined> {
  const status = await (await session.agent()).call(method, request);
  await session.answer(status, textLines(status).join("\n"));
}
