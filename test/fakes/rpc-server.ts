import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { AgentServiceMethods, HealthMethods } from "../../src/gen/methods.ts";
import type { Handlers, Interceptor } from "../../src/rpc/call.ts";
import type { CallCounts } from "../../src/rpc/call-counts.ts";
import { createDispatcher } from "../../src/rpc/dispatch.ts";
import { handlersOf, type ServiceShape } from "../../src/rpc/handlers.ts";
import { serveTtrpc, type TtrpcConnection, type TtrpcOptions } from "../../src/rpc/ttrpc/server.ts";
import type { Address } from "../../src/vsock/address.ts";
import { listen } from "../../src/vsock/listen.ts";

/** Handlers for a test; Check answers SERVING unless told otherwise. */
export function handlers(
  agent: ServiceShape<typeof AgentServiceMethods> = {},
  health: ServiceShape<typeof HealthMethods> = { Check: async () => ({ status: 1 }) },
): Handlers {
  return new Map([...handlersOf(AgentServiceMethods, agent), ...handlersOf(HealthMethods, health)]);
}

type Scope = { teardown(undo: () => Promise<void> | void): void };

/** A ttRPC server on a real unix socket; it is gone when the test ends. */
export async function ttrpcServer(
  t: Scope,
  serving: Handlers,
  more: { interceptors?: readonly Interceptor[]; counts?: CallCounts; options?: Partial<TtrpcOptions> } = {},
): Promise<{ address: Address; connections: TtrpcConnection[] }> {
  const folder = mkdtempSync(join(tmpdir(), "rpc-"));
  const dispatcher = createDispatcher(serving, more.interceptors, more.counts);
  const connections: TtrpcConnection[] = [];
  const address: Address = { kind: "unix", path: join(folder, "agent.sock") };
  const listener = await listen(
    address,
    (accepted) => {
      connections.push(serveTtrpc(accepted.stream(), dispatcher, { log: silentLog, ...more.options }));
    },
    silentLog,
  );
  t.teardown(async () => {
    await listener.close();
    await Promise.all(connections.map((connection) => connection.close()));
    rmSync(folder, { recursive: true });
  });
  return { address, connections };
}
