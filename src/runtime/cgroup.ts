/**
 * The control group of one container: where it is, how its processes are ended together.
 *
 * Version 2 is what a Kata guest has. On a version 1 tree (an agent run by hand on such a machine) crun still makes and
 * removes the groups, but nothing is read from them here.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ContainerId } from "../base/ids.ts";

/** Each group costs the kernel memory; pods of nested clusters have about ten above them. */
const maxDepth = 64;
const maxNameBytes = 255;

/** Where the kernel shows the control groups. */
const cgroupRoot = "/sys/fs/cgroup";

/** One control group; it need not exist. */
export class Cgroup {
  /** Path below the root of the tree, as it stands in `linux.cgroupsPath`. */
  readonly path: string;
  readonly #root: string;
  #oomKills = 0;

  constructor(path: string, root: string = cgroupRoot) {
    this.path = path;
    this.#root = root;
  }

  /** Absolute path of a file of the group, in the version 2 tree. */
  file(name: string): string {
    return join(this.#root, this.path, name);
  }

  /** The text of a file of the group; undefined when there is no such file. */
  async read(name: string): Promise<string | undefined> {
    return readFile(this.file(name), "utf8").catch(() => undefined);
  }

  /** Whether the kernel has killed a process of the group for want of memory since this was asked last. */
  oomKilled(): boolean {
    const before = this.#oomKills;
    try {
      const events = readFileSync(this.file("memory.events"), "utf8");
      this.#oomKills = Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
    } catch {
      // ENOENT: no memory controller, or the group has gone.
    }
    return this.#oomKills > before;
  }

  /** Whether there is a process in it or in a group below it; false when there is no group. */
  async populated(): Promise<boolean> {
    return (await this.read("cgroup.events"))?.includes("populated 1") === true;
  }

  /**
   * Stops all processes of the group, or lets them go on, without waiting for it (`cgroup.freeze`, agent-api 3.15).
   * @throws INTERNAL when there is no version 2 group.
   */
  async freeze(frozen: boolean): Promise<void> {
    await this.set("cgroup.freeze", frozen ? "1" : "0");
  }

  /** Removes the group, which has no process any more. @throws system errors; ENOENT when there is none. */
  remove(): Promise<void> {
    return rmdir(join(this.#root, this.path));
  }

  /** Removes the group if there is one, without processes and groups below it. @returns whether that was so. */
  async removeEmpty(): Promise<boolean> {
    return this.remove().then(
      () => true,
      () => false,
    );
  }

  /** The groups above this one, from the top of the tree downwards, without the root. */
  ancestors(): Cgroup[] {
    const parts = this.path.split("/").filter(Boolean).slice(0, -1);
    return parts.map((_part, depth) => new Cgroup(`/${parts.slice(0, depth + 1).join("/")}`, this.#root));
  }

  /** Writes a file of the group. @throws INTERNAL with the errno, when there is none or the kernel refuses. */
  async set(name: string, value: string): Promise<void> {
    try {
      // Never created: on a group that is not there this must fail, not leave a plain file.
      await writeFile(this.file(name), value, { flag: "r+" });
    } catch (error) {
      throw AgentError.from(error, `write ${name}`);
    }
  }

  /**
   * Sends SIGKILL to every process of the group and the groups below it, in one step of the kernel (`cgroup.kill`,
   * Linux 5.14). Nothing happens where the kernel cannot, or when the group has gone.
   */
  killAll(): void {
    try {
      writeFileSync(this.file("cgroup.kill"), "1", { flag: "r+" });
    } catch {
      // The caller has pids of its own to try.
    }
  }
}

/**
 * The group that a container gets, from the host's `cgroupsPath`: `:` separates like `/` (a systemd triple has no
 * systemd here), empty means the container's id (agent-api 5.3).
 * @throws INTERNAL for a path that climbs with `..`, holds a NUL, or is too long.
 */
export function cgroupPath(hostPath: string, id: ContainerId): string {
  const parts = hostPath.split(/[:/]/).filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || hostPath.includes("\0")) {
    throw new AgentError(Code.internal, "cgroupsPath must not leave the tree");
  }
  if (parts.length > maxDepth || parts.some((part) => Buffer.byteLength(part) > maxNameBytes)) {
    throw new AgentError(Code.internal, "cgroupsPath is too long");
  }
  return parts.length === 0 ? `/${id}` : `/${parts.join("/")}`;
}
