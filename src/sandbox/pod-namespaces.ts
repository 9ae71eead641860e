/**
 * The namespaces that all containers of the pod share (agent-api 3.1 step 4, 3.3.4).
 *
 * ipc and uts are made with the sandbox and held by bind mounts on files, so they need no process. The pid namespace
 * is the first container's: its descriptor in `/proc` is bind-mounted likewise, so that it can be joined for as long
 * as the kernel allows, which is until its init has gone.
 */
import { mkdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import type { ContainerId, Pid } from "../base/ids.ts";
import { MountFlag, mount, UmountFlag, umount } from "../sys/mount.ts";
import { persistNamespace } from "../sys/namespaces.ts";
import { span } from "../trace/span.ts";

/** The shared namespaces of one sandbox. */
export class PodNamespaces {
  readonly #dir: string;
  readonly #paths = new Map<string, string>();
  #pidOwner: ContainerId | undefined;

  /** `dir` is where the files stand, `/run/sandbox-ns` in a guest. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  get ipc(): string | undefined {
    return this.#paths.get("ipc");
  }

  get uts(): string | undefined {
    return this.#paths.get("uts");
  }

  get pid(): string | undefined {
    return this.#paths.get("pid");
  }

  /** Whose init is the first process of the pod's pid namespace. */
  get pidOwner(): ContainerId | undefined {
    return this.#pidOwner;
  }

  /** Makes ipc and uts; the host name counts in the new uts namespace only. @throws INTERNAL. */
  async create(hostname: string): Promise<void> {
    await span("pod namespaces", {}, async () => {
      await mkdir(this.#dir, { recursive: true, mode: 0o755 });
      await this.#hold("ipc", (path) => persistNamespace("ipc", path));
      await this.#hold("uts", (path) =>
        persistNamespace("uts", path, hostname === "" ? undefined : hostname),
      );
    });
  }

  /** Takes the pid namespace of a container's init for the pod, when the pod has none yet. @throws INTERNAL. */
  async adoptPid(owner: ContainerId, init: Pid): Promise<void> {
    if (this.#pidOwner !== undefined) return;
    this.#pidOwner = owner;
    await mkdir(this.#dir, { recursive: true, mode: 0o755 });
    await span("pid namespace", {}, () =>
      this.#hold("pid", (path) =>
        mount({ source: `/proc/${init}/ns/pid`, target: path, flags: MountFlag.bind }),
      ),
    );
  }

  /** A container has gone: if the pod's pid namespace was its own, nobody can enter that any more. */
  async forgetPid(owner: ContainerId): Promise<void> {
    if (this.#pidOwner !== owner) return;
    this.#pidOwner = undefined;
    await this.#letGo("pid");
  }

  /** Lets go of all of them. Safe to repeat. */
  async release(): Promise<void> {
    this.#pidOwner = undefined;
    for (const type of [...this.#paths.keys()].reverse()) await this.#letGo(type);
  }

  async #letGo(type: string): Promise<void> {
    const path = this.#paths.get(type);
    if (path === undefined) return;
    this.#paths.delete(type);
    await umount(path, UmountFlag.detach);
    await unlink(path);
  }

  async #hold(type: string, bind: (path: string) => Promise<void>): Promise<void> {
    const path = join(this.#dir, type);
    try {
      // A file left by an agent that died may still be a mount point: detach it, or the new one would hide below it.
      await umount(path, UmountFlag.detach).catch(() => undefined);
      await writeFile(path, "", { mode: 0o444 });
      await bind(path);
      this.#paths.set(type, path);
    } catch (error) {
      throw AgentError.from(error, `set up the pod's ${type} namespace`);
    }
  }
}
