import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Log } from "../base/log.ts";

/** Editors write a file in several steps. */
const settleMs = 200;

/**
 * Reads the configuration again when it was asked for or the file has changed; one time after the other.
 *
 * The file's folder is watched and not the file: editors and Kubernetes replace it.
 */
export class Reloading {
  readonly #load: () => Promise<void>;
  readonly #log: Log;
  readonly #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  /** `load` reads the configuration and puts it in force. */
  constructor(path: string | undefined, load: () => Promise<void>, log: Log) {
    this.#load = load;
    this.#log = log;
    if (path === undefined) return;
    const name = basename(path);
    this.#watcher = watch(dirname(path), (_event, changed) => {
      // Kubernetes swaps a link of its own beside the file.
      if (changed === name || changed === "..data") this.#soon();
    });
    this.#watcher.on("error", (error) =>
      log.warn({ err: error.message }, "configuration is not watched any more"),
    );
  }

  /** @throws Error with what is wrong; then all is as before. */
  now(): Promise<void> {
    const done = this.#last.then(this.#load);
    this.#last = done.catch((error: Error) => {
      this.#log.error({ err: error.message }, "configuration was not taken over");
    });
    return done;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.now().catch(() => {}), settleMs);
  }
}
