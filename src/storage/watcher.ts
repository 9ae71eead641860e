/**
 * All watchable mounts of the guest (agent-api 7): virtio-fs has no inotify, so what the host may change is copied to a
 * tmpfs, where containers are told of changes, and looked at every two seconds.
 *
 * Everything that touches a source is done in turn, one after the other: sources lie on the host's share, and a share
 * that is dead holds whoever looks at it for ever. So it holds one thread at most, and whoever waits for a turn has its
 * own limit. The copies are ours, and are taken away without a turn.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { statfs } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { abortable, deadline } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { MountFlag, mount, UmountFlag, umount } from "../sys/mount.ts";
import { type Handle, holdPath } from "./watch-handle.ts";
import { watchableRoot } from "./watchable-root.ts";
import { WatchedStorage } from "./watched-storage.ts";

const defaultIntervalMs = 2_000;
/** How long a new mount waits for its turn, which a dead share may never give. */
const turnMs = 10_000;
/** How long the end of a mount waits for a look that is under way. */
const lookMs = 2_000;
const tmpfsMagic = 0x0102_1994;

/** The copies of the guest, and the timer that looks at their sources. */
export class Watcher {
  readonly #log: Log;
  readonly #intervalMs: number;
  readonly #watched = new Set<WatchedStorage>();
  /** Where timers are set, so that a look is no part of the call that began it. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #backing: { readonly root: string; readonly handle: Handle } | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log, intervalMs = defaultIntervalMs) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  /**
   * Copies a source to its mount point and keeps the copy up to date.
   * @returns what takes it away again.
   * @throws INTERNAL for a mount point elsewhere, one in another root than those that are there, or with the errno of
   *   what failed, or when it had no turn in time; nothing is left then. The reason of `signal`, when it had no turn before.
   */
  async add(source: string, mountPoint: string, signal?: AbortSignal): Promise<() => Promise<void>> {
    const { root, name } = watchableRoot(mountPoint);
    return this.#inTurnSoon(signal, async () => {
      const backing = await this.#backingIn(root);
      const storage = new WatchedStorage({ source, backing, name, log: this.#log });
      this.#watched.add(storage);
      try {
        await storage.update();
      } catch (error) {
        await this.#remove(storage).catch(() => undefined);
        throw AgentError.from(error, "watchable mount", Code.internal);
      }
      this.#schedule();
      return () => this.#leave(storage);
    });
  }

  /** Looks at all sources once. Never rejects. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      for (const storage of [...this.#watched]) await storage.refresh();
    });
  }

  /** A turn that has to begin in time. @throws INTERNAL when another one hangs; the reason of `signal`. */
  async #inTurnSoon<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const limit = deadline(turnMs, signal);
    const begun = Promise.withResolvers<void>();
    const done = this.#inTurn(async () => {
      limit.signal.throwIfAborted();
      begun.resolve();
      return work();
    });
    try {
      await abortable(begun.promise, limit.signal);
    } catch {
      done.catch(() => undefined);
      signal?.throwIfAborted();
      throw new AgentError(Code.internal, "ETIMEDOUT: a watchable mount does not answer");
    } finally {
      limit.done();
    }
    return done;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#watched.size === 0) return;
    this.#outside(() => {
      this.#timer = setTimeout(() => void this.#tick(), this.#intervalMs);
      this.#timer.unref();
    });
  }

  async #tick(): Promise<void> {
    await this.refresh();
    this.#timer = undefined;
    this.#schedule();
  }

  /** A look that hangs has been told to write nothing more when it comes back. */
  async #leave(storage: WatchedStorage): Promise<void> {
    storage.end();
    const limit = deadline(lookMs);
    await abortable(this.#turn, limit.signal).catch(() => undefined);
    limit.done();
    await this.#remove(storage);
  }

  async #remove(storage: WatchedStorage): Promise<void> {
    this.#watched.delete(storage);
    try {
      await storage.remove();
    } finally {
      if (this.#watched.size === 0) await this.#unmount();
    }
  }

  async #backingIn(root: string): Promise<Handle> {
    if (this.#backing === undefined) this.#backing = { root, handle: await mountTmpfs(root) };
    if (this.#backing.root !== root) {
      throw new AgentError(Code.internal, "watchable mounts are in another place already");
    }
    return this.#backing.handle;
  }

  async #unmount(): Promise<void> {
    const { handle } = this.#backing ?? {};
    this.#backing = undefined;
    if (handle === undefined) return;
    try {
      await umount(handle.path, UmountFlag.detach);
    } finally {
      handle[Symbol.dispose]();
    }
  }
}

/** The host makes the directory in its share; what it is called may meanwhile be something else. */
async function mountTmpfs(root: string): Promise<Handle> {
  try {
    using place = await holdPath(root);
    const flags = MountFlag.noSuid | MountFlag.noDev;
    await mount({ source: "tmpfs", target: place.path, type: "tmpfs", flags, data: "mode=0755" });
    const mounted = await holdPath(root);
    if ((await statfs(mounted.path)).type === tmpfsMagic) return mounted;
    mounted[Symbol.dispose]();
    throw new AgentError(Code.internal, "the directory has been exchanged");
  } catch (error) {
    throw AgentError.from(error, "watchable mounts", Code.internal);
  }
}
