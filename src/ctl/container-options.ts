import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { CreateContainerRequest } from "../gen/agent.ts";
import type { Input } from "../gen/message-type.ts";
import { Spec } from "../gen/oci.ts";
import { fromJson } from "./from-json.ts";
import { addProcessOptions, type ProcessOptions, processChoice } from "./process-options.ts";
import { buildSpec } from "./spec.ts";
import { UsageError } from "./usage-error.ts";

/** The options that say what a container is like. */
export type ContainerOptions = ProcessOptions & {
  readonly sandbox?: string;
  readonly pause?: boolean;
  readonly readOnly?: boolean;
  readonly rootless?: boolean;
  readonly sharePid?: boolean;
  readonly spec?: string;
};

/** Adds those that make sense for every container. */
export function addContainerOptions(command: Command): Command {
  return addProcessOptions(command)
    .option("--read-only", "its root file system cannot be written")
    .option("--rootless", "the agent lacks some of the powers of root: one mapped id, no OOM priority")
    .option("--share-pid", "join the pid namespace of the sandbox")
    .option("--spec <file>", "the OCI document as JSON in the names of the schema, instead of all the above");
}

/** Adds those of a container whose sandbox the user has made, or does without. */
export function addSandboxOptions(command: Command): Command {
  return command
    .option(
      "--sandbox <id>",
      "the sandbox it belongs to; its shared memory is /dev/shm (default: none, its own)",
    )
    .option("--pause", "it is the pause container, the first of its sandbox");
}

async function specFromFile(path: string): Promise<Spec> {
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new UsageError(error.message);
  });
  try {
    return fromJson(Spec, JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

/** CreateContainer as the Go shim sends it (image-and-runtime 4.3), or with the spec of `--spec`. */
export async function createRequest(
  containerId: string,
  rootPath: string,
  args: readonly string[],
  given: ContainerOptions,
): Promise<Input<CreateContainerRequest>> {
  const OCI =
    given.spec === undefined
      ? buildSpec({
          containerId,
          sandboxId: given.sandbox ?? containerId,
          role: given.pause ? "sandbox" : "container",
          rootPath,
          ...processChoice(given, args),
          readonlyRoot: given.readOnly ?? false,
          rootless: given.rootless ?? false,
          ownShm: given.sandbox === undefined,
        })
      : await specFromFile(given.spec);
  return { container_id: containerId, exec_id: containerId, sandbox_pidns: given.sharePid ?? false, OCI };
}
