import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** Why no dead share can be had; false when it can. */
export const noDeadShare: string | false = whyNot();

/** Opens a connection of FUSE that nobody will ever serve, mounts it, and holds it open. */
const holder = `
  set -e
  mknod /dev/fuse c 10 229
  exec 3<>/dev/fuse
  rm /dev/fuse
  mkdir -p "$0"
  mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead "$0"
  echo mounted
  exec sleep 1000000
`;

/** A share whose host has stopped answering: whoever looks below its mount point waits until it is disposed of. */
export class DeadShare implements AsyncDisposable {
  readonly #holder: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#holder = child;
  }

  /** Mounts one at `target` in the mount namespace of process `pid`, which must have a /dev of its own. */
  static async mount(pid: number, target: string): Promise<DeadShare> {
    const child = spawn("nsenter", [`--mount=/proc/${pid}/ns/mnt`, "--", "/bin/sh", "-c", holder, target]);
    const share = new DeadShare(child);
    const outcome = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    if (!`${outcome[0]}`.startsWith("mounted")) throw new Error(`no dead share: ${child.stderr.read()}`);
    return share;
  }

  /** The kernel tells all who wait that the share has gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    this.#holder.kill("SIGKILL");
    await once(this.#holder, "exit");
  }
}

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  return /\tfuse$/m.test(readFileSync("/proc/filesystems", "utf8")) ? false : "no FUSE in this kernel";
}
