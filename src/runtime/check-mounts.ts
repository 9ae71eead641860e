import { lstat, statfs } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { lookWithin } from "../sys/look-within.ts";
import { mayHang } from "../sys/may-hang.ts";
import type { OciMount } from "./oci.ts";
import { type KnownLinks, partsOf, scopedPath } from "./scoped-path.ts";

/** `PROC_SUPER_MAGIC` of statfs(2). */
const procMagic = 0x9fa0;
const coverable = new Set(
  ["cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "net/dev"].map(
    (name) => `/proc/${name}`,
  ),
);

/** Where crun makes the nodes of devices, and two of them that it opens where no file system is mounted there. */
const devices = "/dev";
const opened = ["/dev/console", "/dev/null"];

/** What is known of a mount's destination: where it really leads, and whether something else than a directory is there. */
type Destination = { readonly path: string; readonly noDirectory: boolean };

/**
 * Looks at the mounts of a container against its root file system, before crun makes them (agent-api 3.3.11 step 2).
 *
 * `/proc` is how programs learn about themselves and how security modules are told what to do, so nothing may pretend
 * to be it, and only a few of its figures may be covered. A destination counts as the place where it really leads.
 *
 * The image says what `/dev` is. Versions of crun that are in use follow a link there, and would make nodes or open
 * files outside the container (CVE-2026-47766 before crun 1.28; CVE-2026-88264, CVE-2026-88265 before 1.30).
 * @throws INTERNAL.
 */
export async function checkMounts(rootfs: string, mounts: readonly OciMount[]): Promise<void> {
  // One after the other: a dead share then holds one thread, and what lies on many ways is looked at once.
  const known: KnownLinks = new Map();
  await mayHang(rootfs, async () => {
    const paths = [...mounts.map(({ destination }) => destination), devices, ...opened];
    const looks = await lookWithin(rootfs, paths);
    const lookAt = (index: number) => looks[index] ?? "unclear";
    let own = false;
    for (const [index, mount] of mounts.entries()) {
      const look = lookAt(index);
      const destination = look === "unclear" ? await looked(rootfs, mount, known) : plain(mount, look);
      await checkMount(mount, destination);
      own ||= destination.path === devices;
    }
    const judged = own ? [devices] : [devices, ...opened];
    for (const [index, path] of judged.entries()) {
      if (lookAt(mounts.length + index) === "unclear") await mustBeNoLink(rootfs, path, known);
    }
  }).catch((error) => {
    throw AgentError.from(error);
  });
}

/** A path without links is the place itself. */
function plain({ destination }: OciMount, look: "missing" | "directory" | "other"): Destination {
  return { path: `/${partsOf(destination).join("/")}`, noDirectory: look === "other" };
}

/** With links on the way, each of them is followed. */
async function looked(rootfs: string, { destination }: OciMount, known: KnownLinks): Promise<Destination> {
  const path = await scopedPath(rootfs, destination, known);
  // A link in the place of the directory would have a file system of the kernel appear where an image wants it.
  const whole = normalize(`/${destination}/.`).replace(/(.)\/$/, "$1");
  const above = await scopedPath(rootfs, dirname(whole), known);
  const place = join(rootfs, above, whole.slice(whole.lastIndexOf("/")));
  const found = await lstat(place).catch(() => undefined);
  return { path, noDirectory: found?.isDirectory() === false };
}

async function checkMount(mount: OciMount, { path, noDirectory }: Destination): Promise<void> {
  if (path === "/proc") await mustBeProc(mount);
  else if (path.startsWith("/proc/") && !coverable.has(path)) {
    throw new AgentError(Code.internal, "a mount below /proc is not allowed");
  }
  if (noDirectory && (mount.type === "proc" || mount.type === "sysfs")) {
    throw new AgentError(Code.internal, "proc and sysfs must be mounted on a directory");
  }
}

async function mustBeNoLink(rootfs: string, path: string, known: KnownLinks): Promise<void> {
  if ((await scopedPath(rootfs, path, known)) === path) return;
  throw new AgentError(Code.internal, `${path} of the image must not be a link`);
}

async function mustBeProc({ type, source, options = [] }: OciMount): Promise<void> {
  if (type === "proc") return;
  const bound = type === "bind" || options.includes("bind") || options.includes("rbind");
  const found = bound && source !== undefined ? await statfs(source).catch(() => undefined) : undefined;
  if (found?.type !== procMagic) throw new AgentError(Code.internal, "/proc must be a proc file system");
}
