/**
 * One container, from the moment crun has created it to the moment its id is free again.
 *
 *     created → running → (init exits) … → removing → gone
 *
 * Each change is made in one function. Nothing here waits for another container: there is no lock, only the record
 * of what has been begun, so that the second of two equal requests is refused at once.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ContainerId, ExecId } from "../base/ids.ts";
import type { Bundle } from "../runtime/bundle.ts";
import type { Cgroup } from "../runtime/cgroup.ts";
import { type CgroupStats, readCgroupStats } from "../runtime/cgroup-stats.ts";
import type { Crun } from "../runtime/crun.ts";
import type { OciProcess } from "../runtime/oci.ts";
import { Process } from "./process.ts";

type Phase = "created" | "running" | "removing";

export type ContainerParts = {
  id: ContainerId;
  bundle: Bundle;
  cgroup: Cgroup;
  crun: Crun;
  init: Process;
};

const sigkill = 9;
/** How many records of ended execs are kept for late readers of their output. */
const maxCollected = 64;

export class Container {
  readonly id: ContainerId;
  readonly init: Process;
  readonly cgroup: Cgroup;
  readonly #bundle: Bundle;
  readonly #crun: Crun;
  readonly #execs = new Map<ExecId, Process | "starting">();
  #phase: Phase = "created";
  #removal: Promise<void> | undefined;

  constructor(parts: ContainerParts) {
    this.id = parts.id;
    this.init = parts.init;
    this.cgroup = parts.cgroup;
    this.#bundle = parts.bundle;
    this.#crun = parts.crun;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Lets the program run. @throws INTERNAL when that was done before, or when init has died meanwhile. */
  async start(): Promise<void> {
    if (this.#phase !== "created") throw new AgentError(Code.internal, "container is not in state created");
    if (this.init.exit !== undefined)
      throw new AgentError(Code.internal, "container init has ended before its start");
    this.#phase = "running";
    this.init.released();
    await this.#crun.start(this.id, this.#bundle);
  }

  /**
   * Runs one more process in the container.
   * @throws INTERNAL for an exec id in use, a container that does not run, or crun's complaint.
   */
  async exec(id: ExecId, process: OciProcess): Promise<void> {
    if (id === (this.id as string) || this.#live(id))
      throw new AgentError(Code.internal, "exec id is in use");
    if (this.#phase === "removing") throw new AgentError(Code.internal, "container is being removed");
    if (this.init.exit !== undefined) throw new AgentError(Code.internal, "container is not running");
    this.#execs.set(id, "starting");
    try {
      const started = new Process(id, await this.#crun.exec(this.id, this.#bundle, process));
      started.released();
      this.#execs.set(id, started);
    } catch (error) {
      this.#execs.delete(id);
      throw error;
    }
    this.#forgetCollected();
  }

  /** The process with that exec id, unless somebody has waited for it already; empty = init (agent-api 3.7, 3.8). */
  process(execId: string): Process | undefined {
    const process = this.readable(execId);
    return process?.collected ? undefined : process;
  }

  /** Like {@link process}, but init can be waited for again: the Go shim does so while it stops a container. */
  waitable(execId: string): Process | undefined {
    const process = this.readable(execId);
    return process === this.init ? process : this.process(execId);
  }

  /** What its control group tells. */
  stats(): Promise<CgroupStats> {
    return readCgroupStats(this.cgroup);
  }

  /** The process with that exec id, also when it has been waited for but output of it is left to read. */
  readable(execId: string): Process | undefined {
    if (execId === "" || execId === this.id) return this.init;
    const process = this.#execs.get(execId as ExecId);
    if (process === undefined || process === "starting") return undefined;
    if (process.collected && process.drained) {
      this.#execs.delete(process.id);
      return undefined;
    }
    return process;
  }

  /**
   * Ends every process, lets crun forget the container and takes the bundle apart. A second call joins the first;
   * after a failure it may be tried again. @throws INTERNAL.
   */
  remove(): Promise<void> {
    this.#phase = "removing";
    this.#removal ??= this.#destroy().finally(() => {
      this.#removal = undefined;
    });
    return this.#removal;
  }

  /** Removes the bundle's directory, once its storages are released. @throws INTERNAL when it is still in use. */
  removeDirectory(): Promise<void> {
    return this.#bundle.removeDirectory();
  }

  async #destroy(): Promise<void> {
    await this.cgroup.killAll();
    for (const process of this.processes()) process.signal(sigkill);
    await this.#crun.delete(this.id, this.#bundle);
    for (const process of this.processes()) process.close();
    this.#execs.clear();
    await this.#bundle.remove();
  }

  #live(id: ExecId): boolean {
    const known = this.#execs.get(id);
    return known === "starting" || (known !== undefined && !known.collected);
  }

  /** Init and every exec that has a record. */
  *processes(): Iterable<Process> {
    yield this.init;
    for (const process of this.#execs.values()) if (process !== "starting") yield process;
  }

  /** Drops the oldest records that only wait for a late reader, so that unread output cannot pile up. */
  #forgetCollected(): void {
    let excess = this.#execs.size - maxCollected;
    for (const process of this.#execs.values()) {
      if (excess <= 0) return;
      if (process === "starting" || !process.collected) continue;
      process.close();
      this.#execs.delete(process.id);
      excess -= 1;
    }
  }
}
