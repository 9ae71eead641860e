/**
 * What belongs to the guest as a whole: one sandbox, from CreateSandbox to DestroySandbox.
 *
 *     waiting → creating → running → destroyed
 *
 * Requests may be repeated after a time-out on the host: a second create is refused without effect, a second destroy
 * joins the first (agent-api 10.3).
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { guestPaths } from "../base/guest-paths.ts";
import type { ContainerId, SandboxId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { loadKernelModule } from "../devices/kernel-module.ts";
import { setUpDns } from "../network/dns.ts";
import type { Storage, StorageDriver } from "../storage/storage.ts";
import { Storages } from "../storage/storages.ts";
import { clearBase } from "./clear-base.ts";
import { findGuestHooks, type GuestHooks, noGuestHooks } from "./guest-hooks.ts";
import { PodNamespaces } from "./pod-namespaces.ts";

/** What CreateSandbox asks for (agent-api 3.1). */
export type SandboxRequest = {
  id: SandboxId | undefined;
  hostname: string;
  dns: readonly string[];
  storages: readonly Storage[];
  kernelModules: readonly { name: string; parameters: readonly string[] }[];
  /** Where the image has hooks for every container; empty: nowhere. */
  guestHookPath: string;
};

type State = "waiting" | "creating" | "running" | "destroyed";

/** The sandbox of this guest. */
export class Sandbox {
  readonly namespaces = new PodNamespaces(guestPaths.sandboxNamespaces);
  readonly storages: Storages;
  readonly #containerStorages = new Map<ContainerId, string[]>();
  #state: State = "waiting";
  #id: SandboxId | undefined;
  readonly #log: Log;
  #guestHooks = noGuestHooks;
  #undoDns: (() => Promise<void>) | undefined;

  constructor(log: Log, storageDrivers: ReadonlyMap<string, StorageDriver>) {
    this.#log = log;
    this.storages = new Storages(storageDrivers, log);
  }

  /** Hooks of the guest image, for every container. */
  get guestHooks(): GuestHooks {
    return this.#guestHooks;
  }

  /** Undefined until it is known. */
  get id(): SandboxId | undefined {
    return this.#id;
  }

  /**
   * Makes the sandbox; `signal` ends waits for devices.
   * @throws INTERNAL, with what had been made undone, so that it may be asked for again.
   */
  async create(request: SandboxRequest, signal?: AbortSignal): Promise<void> {
    if (this.#state !== "waiting")
      throw new AgentError(Code.internal, "the sandbox has been created already");
    this.#state = "creating";
    await using undo = new AsyncDisposableStack();
    undo.defer(() => {
      if (!this.#isDestroyed()) this.#state = "waiting";
    });
    await clearBase(guestPaths.base);
    await mkdir(guestPaths.agent, { recursive: true, mode: 0o700 });
    for (const module of request.kernelModules) await loadKernelModule(module.name, module.parameters);
    undo.defer(() => this.namespaces.release());
    await this.namespaces.create(request.hostname);
    const mounted = await this.storages.add(request.storages, undefined, signal);
    undo.defer(() => this.storages.release(mounted));
    this.#guestHooks = await findGuestHooks(request.guestHookPath, this.#log);
    const undoDns = await setUpDns(request.dns, join(guestPaths.sandbox, "resolv.conf"));
    undo.defer(() => undoDns?.().catch(() => undefined));
    // What its end had to take back was not there yet.
    if (this.#isDestroyed()) throw new AgentError(Code.internal, "the sandbox has ended");
    undo.move();
    this.#undoDns = undoDns;
    this.#id = request.id;
    this.#state = "running";
  }

  #isDestroyed(): boolean {
    return this.#state === "destroyed";
  }

  /**
   * Mounts what a container wants and remembers it for {@link releaseStorages}; `signal` ends waits for devices.
   * @throws INTERNAL, undone.
   */
  async addStorages(owner: ContainerId, storages: readonly Storage[], signal?: AbortSignal): Promise<void> {
    this.#containerStorages.set(owner, await this.storages.add(storages, owner, signal));
  }

  /** Lets go of what a container had mounted. */
  async releaseStorages(owner: ContainerId): Promise<void> {
    const mounted = this.#containerStorages.get(owner) ?? [];
    this.#containerStorages.delete(owner);
    await this.storages.release(mounted);
  }

  /**
   * Ends the sandbox and takes back what it had put in place, as far as that is possible: the agent may be running
   * on a machine that goes on. Safe to repeat.
   */
  async destroy(): Promise<void> {
    if (this.#state === "destroyed") return;
    this.#state = "destroyed";
    await this.#undoDns?.().catch(() => undefined);
    await this.storages.releaseAll();
    await this.namespaces.release().catch(() => undefined);
  }
}
