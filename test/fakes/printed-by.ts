import type { Input } from "../../src/gen/message-type.ts";
import type { Spec } from "../../src/gen/oci.ts";
import type { RealAgent } from "./real-agent.ts";

/** Runs a container to its end and removes it. @returns what it printed, stderr behind stdout. */
export async function printedBy(agent: RealAgent, container_id: string, OCI: Input<Spec>): Promise<string> {
  const { calls } = agent;
  await calls.CreateContainer({ container_id, OCI });
  await calls.StartContainer({ container_id });
  const [output, errors] = await Promise.all([
    agent.readAll(container_id),
    agent.readAll(container_id, "", "Stderr"),
  ]);
  await calls.WaitProcess({ container_id });
  await calls.RemoveContainer({ container_id });
  return `${output}${errors}`;
}
