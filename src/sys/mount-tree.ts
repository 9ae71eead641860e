import { closeSync, openSync } from "node:fs";
import { kernel } from "./kernel.ts";
import { mayHang } from "./may-hang.ts";
import { closeFd } from "./pipe.ts";

/** An open mount namespace; it stays what it is when its last process has gone. The owner closes it. */
export class MountNamespace implements Disposable {
  readonly #fd: number;

  /** That of a process. Whoever names it by pid has to know that the process has not been reaped. @throws ENOENT. */
  constructor(pid: number) {
    this.#fd = openSync(`/proc/${pid}/ns/mnt`, "r");
  }

  /**
   * Copies what is seen at `path` in this namespace, with all mounts below it, and attaches the copy at `destination`
   * of another one; the folder is made when it is not there. Links lead within the root of the namespace they are in.
   * Off the event loop: the path may lie on a share that does not answer.
   * @throws system errors with the step in `syscall` (setns, openat2, open_tree, mkdirat, move_mount); INTERNAL when
   *   other shares hang.
   */
  share(path: string, other: MountNamespace, destination: string): Promise<void> {
    // What lies there in the namespace of a container, our own table of mounts does not tell.
    return mayHang("mounts of containers", () => this.#share(path, other, destination));
  }

  async #share(path: string, other: MountNamespace, destination: string): Promise<void> {
    const tree = await kernel.copyTree(this.#fd, path);
    try {
      await kernel.attachTree(other.#fd, tree, destination);
    } finally {
      // Unattached, the copy ends with its descriptor.
      closeFd(tree);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
