/**
 * Option words of a storage as mount(2) flags and data, containerd style (agent-api 4.1).
 * Flags are the numbers of `linux/mount.h`.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { MountFlag } from "../sys/mount.ts";

/** What mount(2) gets. */
export type MountOptions = { flags: number; data: string };

const setting: ReadonlyMap<string, number> = new Map(
  Object.entries({
    bind: MountFlag.bind,
    dirsync: MountFlag.dirSync,
    iversion: MountFlag.iVersion,
    mand: MountFlag.mandatoryLock,
    noatime: MountFlag.noAtime,
    nodev: MountFlag.noDev,
    nodiratime: MountFlag.noDirAtime,
    noexec: MountFlag.noExec,
    nosuid: MountFlag.noSuid,
    private: MountFlag.private,
    rbind: MountFlag.bind | MountFlag.recursive,
    relatime: MountFlag.relAtime,
    remount: MountFlag.remount,
    ro: MountFlag.readOnly,
    rprivate: MountFlag.private | MountFlag.recursive,
    rshared: MountFlag.shared | MountFlag.recursive,
    rslave: MountFlag.slave | MountFlag.recursive,
    runbindable: MountFlag.unbindable | MountFlag.recursive,
    shared: MountFlag.shared,
    silent: MountFlag.silent,
    slave: MountFlag.slave,
    strictatime: MountFlag.strictAtime,
    sync: MountFlag.synchronous,
    unbindable: MountFlag.unbindable,
  }),
);

const clearing: ReadonlyMap<string, number> = new Map(
  Object.entries({
    async: MountFlag.synchronous,
    atime: MountFlag.noAtime,
    defaults: 0,
    dev: MountFlag.noDev,
    diratime: MountFlag.noDirAtime,
    exec: MountFlag.noExec,
    loud: MountFlag.silent,
    noiversion: MountFlag.iVersion,
    nomand: MountFlag.mandatoryLock,
    norelatime: MountFlag.relAtime,
    nostrictatime: MountFlag.strictAtime,
    rw: MountFlag.readOnly,
    suid: MountFlag.noSuid,
  }),
);

/** Markers for the agent, never for the kernel. */
const markers = ["io.katacontainers.", "X-kata."];
/** mount(2) takes at most one page of data. */
const maxDataBytes = 4095;

/**
 * Reads option words; what is no flag becomes data, in order.
 * @throws INTERNAL for `loop`, for data of more than a page, and for a NUL.
 */
export function mountOptions(words: readonly string[]): MountOptions {
  let flags = 0;
  const data: string[] = [];
  for (const word of words) {
    if (markers.some((marker) => word.startsWith(marker))) continue;
    if (word === "loop") throw new AgentError(Code.internal, "mount option loop is not supported");
    const set = setting.get(word);
    const clear = clearing.get(word);
    if (set !== undefined) flags |= set;
    else if (clear !== undefined) flags &= ~clear;
    else data.push(word);
  }
  const text = data.join(",");
  if (text.includes("\0") || Buffer.byteLength(text) > maxDataBytes) {
    throw new AgentError(Code.internal, "mount options are too long");
  }
  return { flags, data: text };
}
