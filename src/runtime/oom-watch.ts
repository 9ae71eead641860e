import { type FSWatcher, watch } from "node:fs";
import type { Cgroup } from "./cgroup.ts";

/**
 * Calls `onKill` for every process of the group that the kernel kills for want of memory, until it is closed.
 *
 * The kernel tells of a change of `memory.events` through inotify; the count in it is what decides, so one event is
 * never told twice and none is lost when two changes are told as one. Without a memory controller nothing is watched.
 */
export class OomWatch {
  readonly #cgroup: Cgroup;
  readonly #onKill: () => void;
  #watcher: FSWatcher | undefined;
  #told = 0;
  #reading: Promise<void> | undefined;
  #again = false;

  constructor(cgroup: Cgroup, onKill: () => void) {
    this.#cgroup = cgroup;
    this.#onKill = onKill;
    try {
      this.#watcher = watch(cgroup.file("memory.events"), { persistent: false }, () => this.#look());
      this.#watcher.on("error", () => this.close());
    } catch {
      // ENOENT: no memory controller here, so no kill is ever told.
    }
  }

  /** Stops watching. Safe to repeat. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #look(): void {
    this.#again = true;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
  }

  async #read(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const text = await this.#cgroup.read("memory.events");
      const kills = Number(/^oom_kill (\d+)$/m.exec(text ?? "")?.[1] ?? 0);
      for (; this.#told < kills; this.#told += 1) this.#onKill();
    }
  }
}
