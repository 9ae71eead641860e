import type { ReadStreamRequest, ReadStreamResponse } from "../gen/agent.ts";
import type { MethodDescriptor } from "../gen/methods.ts";
import type { Agent } from "./agent.ts";

/** A process in the guest; the init process of a container has the id of the container. */
export type ProcessTarget = { readonly container_id: string; readonly exec_id: string };

/** Takes a piece of output and says when it can take more. */
export type Sink = (data: Uint8Array) => Promise<void>;

/** The reader's buffer of the Go shim: an agent never answers with more (agent-api 3.10). */
const readBytes = 32 * 1024;

/** Reads one output stream of a process until its end, which is an answer without data. */
export async function copyOutput(
  agent: Agent,
  method: MethodDescriptor<ReadStreamRequest, ReadStreamResponse>,
  target: ProcessTarget,
  sink: Sink,
): Promise<void> {
  for (;;) {
    const { data } = await agent.call(method, { ...target, len: readBytes });
    if (data.length === 0) return;
    await sink(data);
  }
}
