import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** Why no dead share can be had; false when it can. */
export const noDeadShare: string | false = whyNot();

/** Opens a connection of FUSE in a /dev of its own, mounts it where process $1 sees $2, and holds it open. */
const holder = `
  set -e
  mount -t tmpfs none /dev
  mknod /dev/fuse c 10 229
  exec 3<>/dev/fuse
  umount -l /dev
  nsenter --mount="/proc/$1/ns/mnt" -- /bin/sh -c 'mkdir -p "$0"
    mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead "$0"' "$2"
  echo mounted
  exec "$3" -e "$4"
`;

/** Answers nobody. */
const ignores = "setInterval(() => undefined, 1_000_000)";
/** Greets the kernel (FUSE_INIT, protocol 7.31) and takes what it asks from then on, without an answer. */
const takes = `
  const { readSync, writeSync } = require("node:fs");
  const request = Buffer.alloc(1 << 20);
  readSync(3, request);
  const answer = Buffer.alloc(80);
  answer.writeUInt32LE(80, 0);
  request.copy(answer, 8, 8, 16);
  answer.writeUInt32LE(7, 16);
  answer.writeUInt32LE(31, 20);
  answer.writeUInt32LE(4096, 36);
  writeSync(3, answer);
  for (;;) readSync(3, request);
`;

/**
 * A share whose host has stopped answering: whoever looks below its mount point waits until it is disposed of. A signal
 * ends that wait, unless the host has `taken` the question, as it has on virtio-fs: then nothing does.
 */
export class DeadShare implements AsyncDisposable {
  readonly #holder: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#holder = child;
  }

  /** Mounts one at `target` in the mount namespace of process `pid`. */
  static async mount(pid: number, target: string, how: "ignores" | "taken" = "ignores"): Promise<DeadShare> {
    const args = [`${pid}`, target, process.execPath, how === "taken" ? takes : ignores];
    const child = spawn("unshare", ["--mount", "--", "/bin/sh", "-c", holder, "dead-share", ...args]);
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
