import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/base/log.ts";
import {
  AgentServiceMethods,
  allMethods,
  HealthMethods,
  type MethodDescriptor,
} from "../../src/gen/methods.ts";
import type { Call, Handler } from "../../src/rpc/call.ts";
import { createDispatcher } from "../../src/rpc/dispatch.ts";
import { handlersOf, type ServiceShape } from "../../src/rpc/handlers.ts";
import { serveTtrpc, type TtrpcConnection } from "../../src/rpc/ttrpc/server.ts";
import { listen } from "../../src/vsock/listen.ts";

/** What a test lets the agent do; methods that it does not name answer with an empty message. */
export type Behaviour = ServiceShape<typeof AgentServiceMethods> & ServiceShape<typeof HealthMethods>;

/** A call as it arrived. */
export type Recorded = {
  readonly name: string;
  readonly request: Record<string, unknown>;
  readonly call: Call;
};

/** A real ttRPC server on a unix socket that notes every call and does nothing but what the test says. */
export type RecordingAgent = AsyncDisposable & { readonly address: string; readonly calls: Recorded[] };

const answerNothing =
  (method: MethodDescriptor): Handler =>
  async () =>
    method.responseType.create();

/** Starts one; disposing of it ends all connections and removes the socket. */
export async function startRecordingAgent(behaviour: Behaviour = {}): Promise<RecordingAgent> {
  const folder = await mkdtemp(join(tmpdir(), "recording-agent-"));
  const calls: Recorded[] = [];
  const handlers = new Map(allMethods.map((method) => [method, answerNothing(method)]));
  for (const [method, handler] of [
    ...handlersOf(AgentServiceMethods, behaviour),
    ...handlersOf(HealthMethods, behaviour),
  ]) {
    handlers.set(method, handler);
  }
  const record = (next: Handler): Handler => {
    return (call) => {
      calls.push({ name: call.method.name, request: { ...call.request }, call });
      return next(call);
    };
  };
  const dispatcher = createDispatcher(handlers, [record]);
  const connections: TtrpcConnection[] = [];
  const listener = await listen(
    { kind: "unix", path: join(folder, "agent.sock") },
    (accepted) => connections.push(serveTtrpc(accepted.stream(), dispatcher, { log: silentLog })),
    silentLog,
  );
  return {
    address: `unix://${folder}/agent.sock`,
    calls,
    async [Symbol.asyncDispose]() {
      await listener.close();
      await Promise.all(connections.map((connection) => connection.close()));
      await rm(folder, { recursive: true });
    },
  };
}
