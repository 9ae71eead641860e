import { AgentError } from "../base/agent-error.ts";
import { codeName } from "../base/code.ts";
import { Agent } from "./agent.ts";
import { ClientTrace } from "./client-trace.ts";
import { ConnectError } from "./connect-error.ts";
import { ExitStatus } from "./exit-status.ts";
import { exportSpans } from "./export-spans.ts";
import { type Host, writeOut } from "./host.ts";
import type { Options } from "./options.ts";
import { toJson } from "./to-json.ts";
import { UsageError } from "./usage-error.ts";

/** One invocation: its options, its trace, its connection if it needs one, and its way to print. */
export class Session implements AsyncDisposable {
  readonly host: Host;
  readonly options: Options;
  readonly trace: ClientTrace;
  #agent: Promise<Agent> | undefined;

  constructor(host: Host, options: Options) {
    this.host = host;
    this.options = options;
    this.trace = new ClientTrace(options.traceAddress !== undefined, options.traceparent, options.rootSpan);
  }

  /**
   * The agent at `--addr`; connects at the first use.
   * @throws ConnectError when nobody answers there, UsageError when no address was given.
   */
  agent(): Promise<Agent> {
    this.#agent ??= Agent.connect(this.options, this.trace, this.host.interrupted);
    return this.#agent;
  }

  /** Prints the answer of a command: `data` as JSON with `--json`, else `text`. */
  async answer(data: object, text: string): Promise<void> {
    if (this.options.json) return this.printJson({ ...data, trace_id: this.trace.context.traceId });
    if (text !== "") await writeOut(this.host.stdout, `${text}\n`);
  }

  /** Prints one JSON document on a line of its own. */
  async printJson(data: object): Promise<void> {
    await writeOut(this.host.stdout, `${JSON.stringify(toJson(data))}\n`);
  }

  /** A word to the user that is not part of the answer; `--json` does not change it. */
  async note(text: string): Promise<void> {
    await writeOut(this.host.stderr, `${text}\n`);
  }

  /** Tells why the command failed and gives the exit status that says so. */
  async report(thrown: unknown): Promise<number> {
    const text = failureText(thrown);
    await this.note(text);
    if (thrown instanceof UsageError) return ExitStatus.usage;
    if (this.options.json) await this.answer({ error: failureData(thrown) }, "");
    if (thrown instanceof ConnectError) return ExitStatus.unreachable;
    return this.host.interrupted.aborted ? ExitStatus.interrupted : ExitStatus.failed;
  }

  /** Sends the spans to `--trace-addr`, if given, and closes the connection. Repeatable. */
  async [Symbol.asyncDispose](): Promise<void> {
    const agent = await this.#agent?.catch(() => undefined);
    await agent?.close();
    await this.sendSpans();
  }

  /** Sends the spans that have ended so far. A trace that cannot be sent is worth a word, not a failure. */
  async sendSpans(): Promise<void> {
    const { traceAddress, timeoutMs } = this.options;
    const spans = this.trace.take();
    if (traceAddress === undefined || spans.length === 0) return;
    await exportSpans(traceAddress, spans, timeoutMs).catch((error: Error) =>
      this.note(`spans could not be sent: ${error.message}`),
    );
  }
}

function failureText(thrown: unknown): string {
  if (thrown instanceof AgentError) return `${codeName(thrown.code)}: ${thrown.message}`;
  return `agentctl: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
}

function failureData(thrown: unknown): { code: string; message: string } {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof AgentError) return { code: codeName(thrown.code), message };
  return { code: thrown instanceof ConnectError ? "UNREACHABLE" : "ERROR", message };
}
