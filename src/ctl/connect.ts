import { deadline, delay } from "../base/deadline.ts";
import type { Client } from "../rpc/client.ts";
import { createTtrpcClient } from "../rpc/ttrpc/client.ts";
import { type Address, formatAddress } from "../vsock/address.ts";
import { dial, dialSocket } from "../vsock/dial.ts";
import { ConnectError } from "./connect-error.ts";
import type { Options } from "./options.ts";
import { UsageError } from "./usage-error.ts";

/** A client with the name of what it speaks, as spans have it. */
export type Caller = Client & { readonly protocol: "ttrpc" | "grpc" };

/** Without `--timeout 0` meaning "for ever" here: a connection that takes a minute will not come. */
const maxConnectMs = 60_000;
/** Pause between attempts while we wait for a guest that boots. */
const retryMs = 50;

async function open(
  options: Options,
  address: Address,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Caller> {
  const limits = { timeoutMs, signal };
  if (options.protocol === "ttrpc") {
    const client = createTtrpcClient(await dial(address, limits));
    return Object.assign(client, { protocol: "ttrpc" as const });
  }
  // Loaded when it is asked for: it takes longer than a whole call over ttRPC.
  const { createGrpcClient } = await import("../rpc/grpc/client.ts");
  return Object.assign(createGrpcClient(await dialSocket(address, limits)), { protocol: "grpc" as const });
}

async function retried<T>(attempt: () => Promise<T>, waitMs: number, signal: AbortSignal): Promise<T> {
  const limit = deadline(waitMs, signal);
  try {
    for (;;) {
      const result = await attempt().catch((error: Error) => error);
      if (!(result instanceof Error)) return result;
      if (limit.signal.aborted) throw result;
      await delay(retryMs, limit.signal).catch(() => {});
    }
  } finally {
    limit.done();
  }
}

/**
 * Connects with the agent; with `--wait`, again and again until somebody is there.
 * @throws UsageError without an address, ConnectError when nobody answers at it, the reason of `interrupted`.
 */
export async function connectCaller(options: Options, interrupted: AbortSignal): Promise<Caller> {
  const { address } = options;
  if (address === undefined) throw new UsageError("--addr is needed (or KATA_AGENT_SERVER_ADDR)");
  const timeoutMs = Math.min(options.timeoutMs || maxConnectMs, maxConnectMs);
  try {
    return await retried(() => open(options, address, timeoutMs, interrupted), options.waitMs, interrupted);
  } catch (error) {
    if (interrupted.aborted) throw interrupted.reason;
    throw new ConnectError(`cannot connect to ${formatAddress(address)}: ${(error as Error).message}`);
  }
}
