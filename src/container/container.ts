/**
 * One container, from the moment crun has created it to the moment its id is free again.
 *
 *     created → running ⇄ paused → (init exits) … → removing → gone
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
import { hookState } from "../runtime/hook-state.ts";
import { runHooks } from "../runtime/hooks.ts";
import type { OciProcess, OciResources, OciSpec } from "../runtime/oci.ts";
import { OomWatch } from "../runtime/oom-watch.ts";
import { blockIoWrites, writeTolerated } from "../runtime/tolerated-resources.ts";
import { spanPlace, startBackgroundSpan } from "../trace/span.ts";
import { mergeResources } from "./merge-resources.ts";
import type { PassedStreams } from "./passed-streams.ts";
import { Process } from "./process.ts";
import { runStartHooks } from "./start-hooks.ts";

type Phase = "created" | "running" | "paused" | "removing";

/** What a create has made. The container owns all of it from then on. */
export type ContainerParts = {
  id: ContainerId;
  bundle: Bundle;
  cgroup: Cgroup;
  crun: Crun;
  init: Process;
  /** The effective spec. */
  spec: OciSpec;
};

const sigkill = 9;
/** How many records of ended execs are kept for late readers of their output. */
const maxCollected = 64;

/** A container that exists, with its init and its execs. */
export class Container {
  readonly id: ContainerId;
  readonly init: Process;
  readonly cgroup: Cgroup;
  readonly #bundle: Bundle;
  readonly #crun: Crun;
  readonly #execs = new Map<ExecId, Process | "starting">();
  /** The effective spec, with the resources as updates have left them. */
  #spec: OciSpec;
  #pausedFrom: "created" | "running" = "running";
  readonly #hooksRun = new Set<"poststart" | "poststop">();
  #updates: Promise<unknown> = Promise.resolve();
  #oomWatch: OomWatch | undefined;
  #phase: Phase = "created";
  #removal: Promise<void> | undefined;

  constructor(parts: ContainerParts) {
    this.id = parts.id;
    this.init = parts.init;
    this.cgroup = parts.cgroup;
    this.#bundle = parts.bundle;
    this.#crun = parts.crun;
    this.#spec = parts.spec;
  }

  /** True once its removal has begun. */
  get removing(): boolean {
    return this.#phase === "removing";
  }

  get spec(): OciSpec {
    return this.#spec;
  }

  /** Calls `onKill` whenever the kernel kills a process of the container for want of memory, until its removal. */
  watchOom(onKill: () => void): void {
    const begun = spanPlace();
    this.#oomWatch ??= new OomWatch(this.cgroup, () => {
      startBackgroundSpan("oom kill", { "container.id": this.id }, begun).end();
      onKill();
    });
  }

  /**
   * Applies resources to the control group, merged with what was there: the kernel knows of no half a limit, such as a
   * quota without its period. Updates take turns. @throws INTERNAL; the resources are then those of before.
   */
  update(resources: OciResources): Promise<void> {
    const turn = this.#updates.then(() => this.#update(resources));
    this.#updates = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Sets the limits of block devices, which may fail: the devices, or the kernel's scheduler, may not be there.
   * @returns what was refused, for the log.
   */
  limitBlockIo(): Promise<string[]> {
    return writeTolerated(this.cgroup, blockIoWrites(this.#spec.linux?.resources?.blockIO ?? {}));
  }

  /** Stops all processes where they are. @throws INTERNAL unless it is created or running (agent-api 3.15). */
  async pause(): Promise<void> {
    const before = this.#phase;
    if (before !== "created" && before !== "running") throw wrongState(before);
    this.#phase = "paused";
    this.#pausedFrom = before;
    await this.cgroup.freeze(true).catch((error) => {
      this.#leavePaused(before);
      throw error;
    });
  }

  /** Lets all processes go on. @throws INTERNAL unless it is paused. */
  async resume(): Promise<void> {
    if (this.#phase !== "paused") throw wrongState(this.#phase);
    await this.cgroup.freeze(false);
    this.#leavePaused(this.#pausedFrom);
  }

  /** A removal may have begun while the group was written, and stays begun. */
  #leavePaused(phase: "created" | "running"): void {
    if (this.#phase === "paused") this.#phase = phase;
  }

  /** Lets the program run, after and before the hooks that go with it. @throws INTERNAL when that was done before, or when init has died meanwhile. */
  async start(): Promise<void> {
    if (this.#phase !== "created") throw new AgentError(Code.internal, "container is not in state created");
    if (this.init.doomed) throw new AgentError(Code.internal, "container init has ended before its start");
    this.#phase = "running";
    await runStartHooks(this.#crun, this.id, this.#bundle, this.#spec, this.#state("created"));
    this.init.released();
    await this.#crun.start(this.id, this.#bundle);
    await this.#runHooks("poststart", "running");
  }

  /**
   * Runs one more process in the container. When `signal` aborts meanwhile it is killed and forgotten: nobody would
   * wait for it. After a failure `passed` still belongs to the caller.
   * @throws INTERNAL for an exec id in use, a container that does not run, or crun's complaint; the reason of `signal`.
   */
  async exec(id: ExecId, process: OciProcess, signal: AbortSignal, passed?: PassedStreams): Promise<void> {
    if (id === (this.id as string) || this.#live(id))
      throw new AgentError(Code.internal, "exec id is in use");
    // Nothing would come of an exec into frozen processes but a crun that waits with them.
    if (this.#phase === "removing" || this.#phase === "paused") throw wrongState(this.#phase);
    if (this.init.exit !== undefined) throw new AgentError(Code.internal, "container is not running");
    this.#execs.set(id, "starting");
    try {
      const launched = await this.#crun.exec(this.id, this.#bundle, process);
      const started = new Process(id, launched, passed, () => this.cgroup.oomKilled());
      if (this.removing || signal.aborted) {
        started.signal(sigkill);
        started.close();
        throw signal.aborted ? signal.reason : wrongState("removing");
      }
      started.released();
      this.#execs.set(id, started);
    } catch (error) {
      this.#execs.delete(id);
      throw error;
    }
    this.#forgetCollected();
  }

  async #update(resources: OciResources): Promise<void> {
    if (this.#phase === "removing") throw new AgentError(Code.internal, "container is being removed");
    const merged = mergeResources(this.#spec.linux?.resources ?? {}, resources);
    await this.#crun.update(this.id, this.#bundle, merged);
    this.#spec = { ...this.#spec, linux: { ...this.#spec.linux, resources: merged } };
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
   * Sends SIGKILL to every process (agent-api 3.7: empty exec id and SIGKILL). Those that we know get it one by one too:
   * where the kernel cannot do it in one step, the others of the pid namespace go with init; and they are then known to
   * be killed, dead or not yet.
   */
  kill(): void {
    this.cgroup.killAll();
    for (const process of this.processes()) process.signal(sigkill);
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
    this.#oomWatch?.close();
    // What the kernel lets go of has no process left to be ended.
    const ended = this.init.exit !== undefined && (await this.cgroup.removeEmpty());
    this.kill();
    await this.#runHooks("poststop", "stopped");
    await this.#crun.delete(this.id, this.#bundle, ended);
    await this.#tellLiving();
    for (const process of this.processes()) process.close();
    this.#execs.clear();
    await this.#bundle.remove();
  }

  /** A process that sleeps in a dead share outlives its SIGKILL; what is asked for must end all the same (agent-api 10.2). */
  async #tellLiving(): Promise<void> {
    const living = [...this.processes()].some(({ exit }) => exit === undefined);
    if (!living || !(await this.cgroup.populated())) return;
    this.#crun.log.warn({ container: this.id }, "processes of a removed container do not end");
  }

  /** Once each, though a removal that failed may be tried again. */
  async #runHooks(stage: "poststart" | "poststop", status: "running" | "stopped"): Promise<void> {
    if (this.#hooksRun.has(stage)) return;
    this.#hooksRun.add(stage);
    await runHooks(stage, this.#spec.hooks?.[stage] ?? [], this.#state(status), this.#bundle, this.#crun.log);
  }

  #state(status: "created" | "running" | "stopped"): object {
    return hookState(
      this.id,
      this.#spec,
      status,
      status === "stopped" ? 0 : this.init.pid,
      this.#bundle.path,
    );
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

function wrongState(phase: Phase): AgentError {
  return new AgentError(Code.internal, `container is ${phase === "removing" ? "being removed" : phase}`);
}
