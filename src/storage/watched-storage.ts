import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import { MountFlag, mount, UmountFlag, umount } from "../sys/mount.ts";
import type { SpanAttributes } from "../trace/attributes.ts";
import { backgroundSpan, type SpanPlace, span, spanPlace } from "../trace/span.ts";
import { contentsOf, putDirectory, putFile, putInPlace, putLink, removeEntry } from "./watch-copy.ts";
import { type Handle, holdBelow, holdPath, statOf } from "./watch-handle.ts";
import { scanSource, TooMuchToWatch, type WatchedEntry } from "./watch-scan.ts";

/** `backing` is the directory where the copy is made, under `name`; whoever made it closes it. */
export type WatchedParts = { source: string; backing: Handle; name: string; log: Log };

/**
 * One watchable mount: a source of the host and its copy, which containers see (agent-api 7).
 *
 *     watched → (too much in it) → bound → ended
 *        └───────────────────────────────────┘
 *
 * The order in which changes are written is that in which kubelet makes them: new directories and files, then links,
 * then what is gone. So a reader that comes through `..data` finds all of the old version or all of the new one.
 */
export class WatchedStorage {
  readonly #source: string;
  readonly #backing: Handle;
  readonly #name: string;
  readonly #log: Log;
  /** Where it was asked for, for the links of what is copied later. */
  readonly #begun: SpanPlace | undefined = spanPlace();
  readonly #copied = new Map<string, WatchedEntry>();
  #state: "watched" | "bound" | "ended" = "watched";
  #lastFault = "";

  constructor({ source, backing, name, log }: WatchedParts) {
    this.#source = source;
    this.#backing = backing;
    this.#name = name;
    this.#log = log;
  }

  /** Brings the copy up to date; a fault is logged once until it changes, and the next call tries again. */
  async refresh(): Promise<void> {
    try {
      await this.#update((attributes, work) => backgroundSpan("watched copy", attributes, work, this.#begun));
      this.#lastFault = "";
    } catch (error) {
      const fault = AgentError.from(error).message;
      if (fault !== this.#lastFault) this.#log.warn({ error: fault }, "a watchable mount is not up to date");
      this.#lastFault = fault;
    }
  }

  /** Brings the copy up to date, or binds the source when it is too much to be copied. @throws system errors. */
  update(): Promise<void> {
    return this.#update((attributes, work) => span("watched copy", attributes, work));
  }

  async #update(
    traced: (attributes: SpanAttributes, work: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    if (this.#state !== "watched") return;
    using source = await holdPath(this.#source);
    try {
      const snapshot = await scanSource(source);
      const changed = [...snapshot].filter(([path, entry]) => isNews(this.#copied.get(path), entry));
      const gone = [...this.#copied.keys()].filter((path) => !snapshot.has(path));
      if (changed.length + gone.length === 0) return;
      await traced({ "kata.count": changed.length + gone.length }, () => this.#write(source, changed, gone));
    } catch (error) {
      if (!(error instanceof TooMuchToWatch)) throw error;
      await this.#bind(source);
    }
  }

  /** Nothing is written from now on. */
  end(): void {
    if (this.#state === "watched") this.#state = "ended";
  }

  /** Takes the copy away; what cannot be unmounted is kept. @throws system errors. */
  async remove(): Promise<void> {
    if (this.#state === "bound") {
      await umount(`${this.#backing.path}/${this.#name}`, UmountFlag.detach | UmountFlag.noFollow);
    }
    this.#state = "ended";
    await removeEntry(this.#backing, this.#name);
  }

  async #write(source: Handle, changed: [string, WatchedEntry][], gone: string[]): Promise<void> {
    let fault: unknown;
    const attempt = async (work: () => Promise<void>) => {
      if (this.#state !== "watched") return;
      try {
        await work();
      } catch (error) {
        if (error instanceof TooMuchToWatch) throw error;
        fault ??= error;
      }
    };
    for (const kind of ["directory", "file", "link"] as const) {
      for (const [path, entry] of changed) {
        if (entry.kind === kind) await attempt(() => this.#put(source, path, entry));
      }
    }
    // What lies in a directory comes after it, and has to go before it.
    for (const path of gone.reverse()) await attempt(() => this.#takeAway(path));
    if (fault !== undefined) throw fault;
  }

  async #put(source: Handle, path: string, entry: WatchedEntry): Promise<void> {
    const bytes = entry.kind === "file" ? await read(source, path) : empty;
    // A dead share may have kept us waiting until after the end, when the copy is gone.
    if (this.#state !== "watched") return;
    using place = await this.#placeOf(path);
    const { directory, name } = place;
    if (entry.kind === "directory") await putDirectory(directory, name, entry);
    else if (entry.kind === "link") await putLink(this.#backing, directory, name, entry);
    else if (path === "") await putInPlace(directory, name, bytes, entry);
    else await putFile(this.#backing, directory, name, bytes, entry);
    this.#copied.set(path, entry);
  }

  async #takeAway(path: string): Promise<void> {
    try {
      using place = await this.#placeOf(path);
      await removeEntry(place.directory, place.name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // It went with the directory that it was in, or a file has taken that one's place.
      if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    }
    this.#copied.delete(path);
  }

  /** The directory of the copy where something has its place, held, and its name there. */
  async #placeOf(path: string): Promise<Disposable & { directory: Handle; name: string }> {
    if (path === "") return { directory: this.#backing, name: this.#name, [Symbol.dispose]() {} };
    const slash = path.lastIndexOf("/");
    const above = slash < 0 ? this.#name : `${this.#name}/${path.slice(0, slash)}`;
    const directory = await holdBelow(this.#backing, above);
    return { directory, name: path.slice(slash + 1), [Symbol.dispose]: () => directory[Symbol.dispose]() };
  }

  /** Containers then see the source itself, without inotify; one that runs already keeps the copy. */
  async #bind(source: Handle): Promise<void> {
    const isDirectory = (await statOf(source)).isDirectory();
    if (this.#state !== "watched") return;
    const like = { kind: "file", mtimeNs: 0n, bytes: 0, mode: 0o755, uid: 0, gid: 0 } as const;
    if (isDirectory) await putDirectory(this.#backing, this.#name, like);
    else if (!this.#copied.has("")) await putInPlace(this.#backing, this.#name, empty, like);
    await mount({
      source: source.path,
      target: `${this.#backing.path}/${this.#name}`,
      flags: MountFlag.bind,
    });
    this.#state = "bound";
    this.#log.info({}, "a watchable mount is too large to be watched, so its source is bound");
  }
}

const empty = Buffer.alloc(0);

async function read(source: Handle, path: string): Promise<Buffer> {
  if (path === "") return contentsOf(source);
  using file = await holdBelow(source, path);
  return await contentsOf(file);
}

/** Directories count only at first sight (agent-api 7). */
function isNews(known: WatchedEntry | undefined, entry: WatchedEntry): boolean {
  if (known === undefined || known.kind !== entry.kind) return true;
  return entry.kind !== "directory" && (known.mtimeNs !== entry.mtimeNs || known.target !== entry.target);
}
