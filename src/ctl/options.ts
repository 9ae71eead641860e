import { AgentError } from "../base/agent-error.ts";
import { type Address, parseAddress } from "../vsock/address.ts";
import { parseDurationMs } from "./duration.ts";
import { parseTraceContext, type TraceContext } from "./trace-context.ts";
import { UsageError } from "./usage-error.ts";

/** The options that every command knows, checked and complete. */
export type Options = {
  /** Undefined when neither `--addr` nor the environment names one: only commands that connect need it. */
  readonly address: Address | undefined;
  readonly protocol: "ttrpc" | "grpc";
  /** For the connection and for each call that is not meant to wait; 0 = no limit. */
  readonly timeoutMs: number;
  /** How long to try again while nobody answers at the address; 0 = one attempt. */
  readonly waitMs: number;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly traceparent?: TraceContext;
  /** The ids of our own root span, when the agent was started with them as its parent. */
  readonly rootSpan?: TraceContext;
  /** Where our own spans go, if anywhere. */
  readonly traceAddress?: Address;
};

/** What the command-line library hands over. */
export type GivenOptions = {
  readonly addr?: string;
  readonly grpc?: boolean;
  readonly timeout?: string;
  readonly wait?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly traceparent?: string;
  readonly rootSpan?: string;
  readonly traceAddr?: string;
};

const defaultTimeout = "30s";

function address(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    if (error instanceof AgentError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * Options given, then the environment (`KATA_AGENT_SERVER_ADDR`), then defaults.
 * @throws UsageError for a value that cannot be understood.
 */
export function resolveOptions(
  given: GivenOptions,
  env: Readonly<Record<string, string | undefined>>,
): Options {
  const addr = given.addr ?? env["KATA_AGENT_SERVER_ADDR"];
  return Object.freeze({
    address: addr === undefined ? undefined : address(addr),
    protocol: given.grpc ? "grpc" : "ttrpc",
    timeoutMs: parseDurationMs(given.timeout ?? defaultTimeout),
    waitMs: parseDurationMs(given.wait ?? "0"),
    json: given.json ?? false,
    verbose: given.verbose ?? false,
    ...(given.traceparent === undefined ? {} : { traceparent: parseTraceContext(given.traceparent) }),
    ...(given.rootSpan === undefined ? {} : { rootSpan: parseTraceContext(given.rootSpan) }),
    ...(given.traceAddr === undefined ? {} : { traceAddress: address(given.traceAddr) }),
  });
}
