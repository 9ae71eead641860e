import { AgentError } from "./agent-error.ts";
import { Code } from "./code.ts";

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Id of a container, safe to use as a path element. Made only by {@link containerId}. */
export type ContainerId = Branded<string, "ContainerId">;
/** Id of a process within its container; the init process has the id of the container. Made by {@link execId}. */
export type ExecId = Branded<string, "ExecId">;
/** Id of the sandbox. Made by {@link sandboxId}. */
export type SandboxId = Branded<string, "SandboxId">;
/** A process id that the kernel gave us, in our own pid namespace. Made by {@link pid}. */
export type Pid = Branded<number, "Pid">;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]+$/;
/** Directories that the agent keeps beside the bundles, see agent-api 0.5. A container of that name would be one of them. */
const reservedNames = new Set(["shared", "sandbox", "image", "virtual-volumes"]);
const maxIdLength = 255;

function checked(value: string, what: string): string {
  if (value.length <= maxIdLength && idPattern.test(value)) return value;
  throw new AgentError(Code.internal, `invalid ${what}`);
}

/**
 * Checks a container id before it is used in any path.
 * @throws INTERNAL unless it matches `[A-Za-z0-9][A-Za-z0-9_.-]+`, at most 255 bytes (agent-api 3.3.1).
 */
export function containerId(value: string): ContainerId {
  if (reservedNames.has(value)) throw new AgentError(Code.internal, "invalid container id: reserved name");
  return checked(value, "container id") as ContainerId;
}

/**
 * Checks an exec id in the same way (agent-api 10.1).
 * @throws INTERNAL when it is not one.
 */
export function execId(value: string): ExecId {
  return checked(value, "exec id") as ExecId;
}

/**
 * Checks a sandbox id in the same way (agent-api 10.1).
 * @throws INTERNAL when it is not one.
 */
export function sandboxId(value: string): SandboxId {
  return checked(value, "sandbox id") as SandboxId;
}

/**
 * Marks a number as a process id.
 * @throws INTERNAL unless it is a positive integer: 0 and negative numbers mean groups to `kill(2)`.
 */
export function pid(value: number): Pid {
  if (Number.isInteger(value) && value > 0) return value as Pid;
  throw new AgentError(Code.internal, `not a process id: ${value}`);
}
