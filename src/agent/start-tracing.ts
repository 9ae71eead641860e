import type { Log } from "../base/log.ts";
import { version } from "../base/version.ts";
import type { BootSteps } from "../trace/boot-steps.ts";
import { parseTraceparent } from "../trace/traceparent.ts";
import { startTracing, type Tracing } from "../trace/tracing.ts";
import { parseAddress } from "../vsock/address.ts";
import { dial } from "../vsock/dial.ts";
import type { AgentOptions } from "./options.ts";

/** Turns tracing on when the options ask for it. */
export async function tracingFromOptions(
  options: AgentOptions,
  steps: BootSteps,
  log: Log,
): Promise<Tracing | undefined> {
  const mode = options.trace;
  if (mode === "off") {
    steps.discard();
    return undefined;
  }
  const address = parseAddress(options.traceAddress);
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
