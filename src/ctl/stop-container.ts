import { type Agent, Method } from "./agent.ts";

/** Clean-up goes on after Ctrl-C, but not for ever. */
const cleanUpMs = 15_000;
const sigkill = 9;

/**
 * Takes a container away as the Go shim does (image-and-runtime 4.5): SIGKILL to all of it and WaitProcess, where errors
 * mean that it has ended already, then RemoveContainer.
 * @throws AgentError when it cannot be removed.
 */
export async function stopContainer(agent: Agent, containerId: string): Promise<void> {
  const limits = { signal: AbortSignal.timeout(cleanUpMs), timeoutMs: cleanUpMs };
  const kill = { container_id: containerId, exec_id: "", signal: sigkill };
  await agent.call(Method.SignalProcess, kill, limits).catch(() => {});
  await agent
    .call(Method.WaitProcess, { container_id: containerId, exec_id: containerId }, limits)
    .catch(() => {});
  await agent.call(Method.RemoveContainer, { container_id: containerId }, limits);
}
