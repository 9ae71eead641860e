import { type Agent, Method } from "./agent.ts";
import { buildSpec } from "./spec.ts";

/** What the pause container of a pod needs to know. */
export type PauseChoice = {
  readonly sandboxId: string;
  /** Root file system with a `sleep` in it, a path in the guest. */
  readonly rootPath: string;
  readonly rootless: boolean;
};

/** Sleeps for as long as `sleep` can count: BusyBox has no `pause`. */
const pauseProgram = ["/bin/sleep", "2147483647"];

/**
 * Creates and starts the first container of a pod, whose only work is to be there; its id is that of the sandbox, its
 * pid namespace is the one that others may share (image-and-runtime 4.2).
 */
export async function startPause(agent: Agent, choice: PauseChoice): Promise<void> {
  const container_id = choice.sandboxId;
  const OCI = buildSpec({
    containerId: container_id,
    sandboxId: container_id,
    role: "sandbox",
    rootPath: choice.rootPath,
    args: pauseProgram,
    rootless: choice.rootless,
  });
  await agent.call(Method.CreateContainer, { container_id, exec_id: container_id, OCI });
  await agent.call(Method.StartContainer, { container_id });
}
