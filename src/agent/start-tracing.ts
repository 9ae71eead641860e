import type { Log } from "../base/log.ts";
import { version } from "../base/version.ts";
import type { BootSteps } from "../trace/boot-steps.ts";
import { parseTraceparent } from "../trace/traceparent.ts";
import { startTracing, type Tracing } from "../trace/tracing.ts";
import { type Address, parseAddress } from "../vsock/address.ts";
import { dial } from "../vsock/dial.ts";
import type { AgentOptions } from "./options.ts";

/**
 * Turns tracing on when the options ask for it. An address that cannot be used is a warning, and the guest goes on
 * without a trace.
 */
export async function tracingFromOptions(
  options: AgentOptions,
  steps: BootSteps,
  log: Log,
): Promise<Tracing | undefined> {
  const mode = options.trace;
  const address = mode === "off" ? undefined : usable(options.traceAddress, log);
  if (mode === "off" || address === undefined) {
    steps.discard();
    return undefined;
  }
  const parent = parseTraceparent(options.traceParent);
  if (parent === undefined && options.traceParent !== "")
    log.warn({}, "option trace_parent is no traceparent");
  return startTracing({
    mode,
    ...(parent === undefined ? {} : { parent }),
    connect: (timeoutMs) => dial(address, { timeoutMs }),
    authority: address.kind === "tcp" ? `${address.host}:${address.port}` : "localhost",
    serviceVersion: version,
    resource: { "os.type": "linux", "process.pid": process.pid },
    log,
    bootSteps: steps,
  });
}

function usable(text: string, log: Log): Address | undefined {
  try {
    return parseAddress(text);
  } catch {
    log.warn({}, "option trace_addr is no address; nothing is traced");
    return undefined;
  }
}
