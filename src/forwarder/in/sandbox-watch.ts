import { existsSync, type FSWatcher, readdirSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../../base/log.ts";
import type { Listener } from "../../vsock/listen.ts";
import { isSandboxName, type SandboxPattern } from "./sandbox-pattern.ts";

/**
 * Listens for every sandbox of the runtimes, for as long as it is there.
 *
 * Primer. With hybrid VSOCK a guest's connection to port 10240 arrives at `<path>_10240`, where `path` is the VMM's
 * socket; a listener has to be there before the guest connects. So a socket is made as soon as the sandbox's folder
 * appears, before the VMM has made its own. It goes when the folder goes, or when the VMM's socket was there and is
 * gone. Folders are watched; and looked at every second besides, since a folder may be missing when we start, and the
 * kernel's watches are not without number.
 */

const lookEveryMs = 1_000;

/** A sandbox's socket as it was seen last. */
type Seen = { listener: Promise<Listener | undefined>; hadVmm: boolean };

/** One listener per sandbox that is there. */
export class SandboxWatch {
  readonly #patterns: readonly SandboxPattern[];
  readonly #open: (socketPath: string, sandboxId: string) => Promise<Listener>;
  readonly #settle: (socketPath: string) => void;
  readonly #log: Log;
  readonly #seen = new Map<string, Seen>();
  readonly #over = new Set<string>();
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;
  #asked = false;

  /**
   * `open` makes the listener for the VMM's socket at this path; `settle` is called for it now and again while it is there,
   * and may throw when it is about to go.
   */
  constructor(
    patterns: readonly SandboxPattern[],
    open: (socketPath: string, sandboxId: string) => Promise<Listener>,
    settle: (socketPath: string) => void,
    log: Log,
  ) {
    this.#patterns = patterns;
    this.#open = open;
    this.#settle = settle;
    this.#log = log;
  }

  /** Looks at once; resolves when what is there now has its listeners. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#look();
    await Promise.all([...this.#seen.values()].map(({ listener }) => listener));
  }

  /** Closes the listeners and removes their sockets. Safe to repeat. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await Promise.all([...this.#seen.keys()].map((path) => this.#drop(path)));
  }

  readonly #ask = (): void => {
    if (this.#asked) return;
    this.#asked = true;
    setImmediate(() => {
      this.#asked = false;
      if (this.#timer !== undefined) this.#look();
    });
  };

  #look(): void {
    const folders = new Set<string>();
    const there = new Set<string>();
    for (const { before, after } of this.#patterns) {
      folders.add(before);
      for (const name of namesIn(before)) {
        const path = before + name + after;
        if (dirname(after) !== "/") folders.add(before + name);
        if (existsSync(dirname(path))) {
          there.add(path);
          this.#see(path, name);
        }
      }
    }
    for (const path of this.#over) if (!there.has(path)) this.#over.delete(path);
    for (const path of this.#seen.keys()) if (!there.has(path)) void this.#drop(path);
    this.#watch(folders);
  }

  #see(path: string, sandboxId: string): void {
    const hasVmm = existsSync(path);
    const seen = this.#seen.get(path);
    if (seen === undefined) {
      // The folder of a sandbox that has ended may stay; a new VMM there would begin anew.
      if (hasVmm) this.#over.delete(path);
      if (!this.#over.has(path)) this.#listen(path, sandboxId, hasVmm);
    } else if (seen.hadVmm && !hasVmm) {
      this.#over.add(path);
      void this.#drop(path);
    } else {
      seen.hadVmm = hasVmm;
      void this.#settled(path, seen);
    }
  }

  async #settled(path: string, { listener }: Seen): Promise<void> {
    if ((await listener) === undefined) return;
    try {
      this.#settle(path);
    } catch (error) {
      this.#log.debug({ socket: path, err: (error as Error).message }, "a sandbox is going");
    }
  }

  #listen(path: string, sandboxId: string, hadVmm: boolean): void {
    const listener = this.#open(path, sandboxId).catch((error: NodeJS.ErrnoException) => {
      this.#log.warn({ sandbox: sandboxId, err: error.message }, "cannot listen for a sandbox");
      return undefined;
    });
    this.#seen.set(path, { listener, hadVmm });
  }

  async #drop(path: string): Promise<void> {
    const seen = this.#seen.get(path);
    this.#seen.delete(path);
    await (await seen?.listener)?.close();
  }

  #watch(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers)
      if (!folders.has(folder)) {
        watcher.close();
        this.#watchers.delete(folder);
      }
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, this.#ask);
        const forget = () => {
          watcher.close();
          this.#watchers.delete(folder);
        };
        watcher.on("error", forget);
        this.#watchers.set(folder, watcher);
      } catch {
        // Not there, or no more watches: the timer looks.
      }
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isSandboxName(entry.name))
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
