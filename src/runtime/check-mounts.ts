import { lstat, statfs } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { mayHang } from "../sys/may-hang.ts";
import type { OciMount } from "./oci.ts";
import { type KnownLinks, scopedPath } from "./scoped-path.ts";

/** `PROC_SUPER_MAGIC` of statfs(2). */
const procMagic = 0x9fa0;
const coverable = new Set(
  ["cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "net/dev"].map(
    (name) => `/proc/${name}`,
  ),
);

/**
 * Looks at the mounts of a container against its root file system, before crun makes them (agent-api 3.3.11 step 2).
 *
 * `/proc` is how programs learn about themselves and how security modules are told what to do, so nothing may pretend
 * to be it, and only a few of its figures may be covered. A destination counts as the place where it really leads.
 * @throws INTERNAL.
 */
export async function checkMounts(rootfs: string, mounts: readonly OciMount[]): Promise<void> {
  // One after the other: a dead share then holds one thread, and what lies on many ways is looked at once.
  const known: KnownLinks = new Map();
  await mayHang(rootfs, async () => {
    for (const mount of mounts) await checkMount(rootfs, mount, known);
  }).catch((error) => {
    throw AgentError.from(error);
  });
}

async function checkMount(rootfs: string, mount: OciMount, known: KnownLinks): Promise<void> {
  const destination = await scopedPath(rootfs, mount.destination, known);
  if (destination === "/proc") await mustBeProc(mount);
  else if (destination.startsWith("/proc/") && !coverable.has(destination)) {
    throw new AgentError(Code.internal, "a mount below /proc is not allowed");
  }
  if (mount.type === "proc" || mount.type === "sysfs")
    await mustBeDirectory(rootfs, mount.destination, known);
}

async function mustBeProc({ type, source, options = [] }: OciMount): Promise<void> {
  if (type === "proc") return;
  const bound = type === "bind" || options.includes("bind") || options.includes("rbind");
  const found = bound && source !== undefined ? await statfs(source).catch(() => undefined) : undefined;
  if (found?.type !== procMagic) throw new AgentError(Code.internal, "/proc must be a proc file system");
}

/** A link in the place of the directory would have such a file system appear where an image wants it. */
async function mustBeDirectory(rootfs: string, destination: string, known: KnownLinks): Promise<void> {
  const path = normalize(`/${destination}/.`).replace(/(.)\/$/, "$1");
  const above = await scopedPath(rootfs, dirname(path), known);
  const found = await lstat(join(rootfs, above, path.slice(path.lastIndexOf("/")))).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) {
    throw new AgentError(Code.internal, "proc and sysfs must be mounted on a directory");
  }
}
