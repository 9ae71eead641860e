/**
 * A container's bundle: `<base>/<id>/` with `config.json` and `rootfs` (agent-api 0.5, 3.3.7).
 *
 * What is mounted below it may be host data, so a bundle is taken apart in two steps (agent-api 10.3): its own files
 * are unlinked by name and its mount is detached; what is left in the directory (the private layers of an overlay) is
 * deleted once the storages are released, and only if nothing is mounted there any more.
 *
 * In a guest bundles lie on a tmpfs, where a call of the kernel takes a tenth of the time that the way to another
 * thread and back takes. So small files are made and removed on the spot; only what may wait for a disk or a server
 * (mounts, a layer's contents) goes elsewhere. The price is paid by an agent on a machine whose `/run` is on a disk:
 * all its calls stand still for as long as the disk takes for such a file.
 */
import { mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { lstat, rm } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ContainerId } from "../base/ids.ts";
import { mayHang } from "../sys/may-hang.ts";
import { MountFlag, mount, UmountFlag, umount } from "../sys/mount.ts";
import { readMounts } from "../sys/read-mounts.ts";
import type { OciSpec } from "./oci.ts";
import { ociJson } from "./oci-json.ts";

/** One bundle, and the files in it that are ours. */
export class Bundle {
  readonly path: string;
  readonly rootfs: string;
  readonly #files = new Set<string>();
  #ownsRootfs = false;
  #mounted = false;

  /** `basePath` is the directory of all bundles, `/run/kata-containers` in a guest. */
  constructor(basePath: string, id: ContainerId) {
    this.path = join(basePath, id);
    this.rootfs = join(this.path, "rootfs");
  }

  /**
   * Makes the directory and puts the root file system of `spec` in place: a `rootfs` that a storage has already
   * mounted there is taken as it is, anything else is bind-mounted on it.
   * @returns the spec with its root moved into the bundle.
   * @throws INTERNAL when root is missing or is not an absolute path to a directory.
   */
  async create(spec: OciSpec): Promise<OciSpec> {
    const root = spec.root;
    if (root === undefined || !root.path.startsWith("/")) {
      throw new AgentError(Code.internal, "the root path of the container must be absolute");
    }
    mkdirSync(this.path, { recursive: true, mode: 0o755 });
    if (await this.#makeRootfs()) {
      try {
        await mayHang(root.path, () =>
          mount({ source: root.path, target: this.rootfs, flags: MountFlag.bind }),
        );
        this.#mounted = true;
      } catch (error) {
        throw AgentError.from(error, "bind-mount the root file system");
      }
    }
    return { ...spec, root: { ...root, path: this.rootfs } };
  }

  /** Writes a file of the bundle, such as `config.json`, readable by root only: it holds the environment. */
  write(name: string, document: object): string {
    const path = this.file(name);
    writeFileSync(path, ociJson(document), { mode: 0o600 });
    return path;
  }

  /** The path of a file of the bundle that will be removed with it. */
  file(name: string): string {
    this.#files.add(name);
    return join(this.path, name);
  }

  /** Removes one file of the bundle early; missing is fine. */
  drop(name: string): void {
    this.#files.delete(name);
    unlessMissing(() => unlinkSync(join(this.path, name)));
  }

  /**
   * Takes the bundle apart. Safe to repeat.
   * @throws INTERNAL when something is left that is not ours to delete.
   */
  async remove(): Promise<void> {
    if (this.#mounted) {
      await umount(this.rootfs, UmountFlag.detach).catch(ignoreUnmounted);
      this.#mounted = false;
    }
    for (const name of this.#files) this.drop(name);
    if (this.#ownsRootfs) unlessMissing(() => rmdirSync(this.rootfs));
  }

  /**
   * Removes the directory with what is left in it (the private layers of an overlay), once the storages that were
   * mounted below it are released. @throws INTERNAL when something is still mounted there: that is never walked into.
   */
  async removeDirectory(): Promise<void> {
    try {
      unlessMissing(() => rmdirSync(this.path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
      const mounted = (await readMounts()).some((entry) => entry.mountPoint.startsWith(`${this.path}/`));
      if (mounted) throw new AgentError(Code.internal, "something is still mounted in the bundle");
      await rm(this.path, { recursive: true, force: true });
    }
  }

  async #makeRootfs(): Promise<boolean> {
    try {
      mkdirSync(this.rootfs, { mode: 0o755 });
      this.#ownsRootfs = true;
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      // A link in its place would lead crun, and what is unmounted later, elsewhere (agent-api 3.3.8).
      if ((await mayHang(this.rootfs, () => lstat(this.rootfs))).isDirectory()) return false;
      throw new AgentError(Code.internal, "the root of the bundle is not a directory");
    }
  }
}

/** EINVAL: no mount point (any more). */
function ignoreUnmounted(error: NodeJS.ErrnoException): void {
  if (error.code !== "EINVAL" && error.code !== "ENOENT") throw error;
}

function unlessMissing(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
