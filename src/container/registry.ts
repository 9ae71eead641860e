/**
 * All containers of the sandbox, by id. An id is taken from the moment a create begins until its removal is complete,
 * so two requests for one id can never both have effects (agent-api 3.3.2, 10.3). Whoever ends the sandbox closes the
 * registry first and waits for what is being created: no container may come into being behind the end of all.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ContainerId } from "../base/ids.ts";
import type { Container } from "./container.ts";
import type { Process } from "./process.ts";

/** The containers of one sandbox. */
export class Registry {
  readonly #containers = new Map<string, Container | Promise<Container>>();
  #closed = false;

  /** How many containers there are, those being created included. */
  get size(): number {
    return this.#containers.size;
  }

  /** Every container that exists. */
  *all(): Iterable<Container> {
    for (const container of this.#containers.values()) if (!(container instanceof Promise)) yield container;
  }

  /** True once the sandbox ends: a create that is under way has to undo itself. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Refuses every create from now on. Safe to repeat. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when every create under way has ended, one way or the other. Never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#containers.values()].filter((entry) => entry instanceof Promise));
  }

  /**
   * Makes a container under a reserved id; the id is free again when `create` fails.
   * @throws INTERNAL when the id is taken or the registry closed, before `create` is called.
   */
  async create(id: ContainerId, create: () => Promise<Container>): Promise<Container> {
    if (this.#containers.has(id)) throw new AgentError(Code.internal, `container ${id} already exists`);
    if (this.#closed) throw new AgentError(Code.internal, "the sandbox has ended");
    const creating = create();
    this.#containers.set(id, creating);
    try {
      const container = await creating;
      this.#containers.set(id, container);
      return container;
    } catch (error) {
      this.#containers.delete(id);
      throw error;
    }
  }

  /** The container with that id, if there is one that has been created. */
  find(id: string): Container | undefined {
    const found = this.#containers.get(id);
    return found instanceof Promise ? undefined : found;
  }

  /**
   * The container with that id.
   * @throws `code` when there is none: the reference answers INVALID_ARGUMENT in some calls, INTERNAL in others
   *   (agent-api 0.3).
   */
  container(id: string, code: Code): Container {
    const found = this.find(id);
    if (found === undefined) throw new AgentError(code, "Invalid container id");
    return found;
  }

  /**
   * A process that can still be signalled or resized; an empty exec id means init.
   * @throws INVALID_ARGUMENT for an unknown container, NOT_FOUND for a process that never was or has been waited for
   *   (agent-api 0.3, 0.4).
   */
  process(id: string, execId: string): Process {
    return found(this.container(id, Code.invalidArgument).process(execId));
  }

  /** A process that can be waited for. Errors as {@link process}. */
  waitable(id: string, execId: string): Process {
    return found(this.container(id, Code.invalidArgument).waitable(execId));
  }

  /** A process whose output can still be read. Errors as {@link process}. */
  readable(id: string, execId: string): Process {
    return found(this.container(id, Code.invalidArgument).readable(execId));
  }

  /** Frees the id once the container is gone. */
  forget(id: ContainerId): void {
    this.#containers.delete(id);
  }
}

function found(process: Process | undefined): Process {
  if (process !== undefined) return process;
  throw new AgentError(Code.notFound, "Process not found: init has ended or the exec id is invalid");
}
