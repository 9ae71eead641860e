import { readFileSync } from "node:fs";
import { type MountInfo, parseMountInfo } from "./mount-info.ts";

/** For how long the table is good when others than we mount. */
const freshMs = 1_000;
/** An overlay lies on other file systems, which may be overlays again. */
const maxLayers = 8;

let table: readonly MountInfo[] | undefined;
let readAt = 0;

/** The table is read again for the next question: something has been mounted or unmounted. */
export function forgetMounts(): void {
  table = undefined;
}

/**
 * A name for the file system that holds `path`, by the table of mounts alone: nothing is looked up at the path, which
 * may lie on one that does not answer. An overlay counts as what it lies on. What is no absolute path names itself.
 */
export function fileSystemOf(path: string): string {
  if (table === undefined || performance.now() - readAt > freshMs) {
    // The kernel makes the text from memory.
    table = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
    readAt = performance.now();
  }
  return deviceOf(path, table);
}

/** The same by a table of mounts. */
export function deviceOf(path: string, mounts: readonly MountInfo[]): string {
  let place = path;
  for (let layer = 0; ; layer += 1) {
    const mount = mountOf(place, mounts);
    const below = mount?.fsType === "overlay" && layer < maxLayers ? lowestOf(mount) : undefined;
    if (below === undefined) return mount?.device ?? place;
    place = below;
  }
}

/** The mount that a path leads into; of those on one point the last covers the others. */
function mountOf(path: string, mounts: readonly MountInfo[]): MountInfo | undefined {
  let found: MountInfo | undefined;
  for (const mount of mounts) {
    const { mountPoint } = mount;
    const holds = mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
    if (holds && path.startsWith("/") && mountPoint.length >= (found?.mountPoint.length ?? 0)) found = mount;
  }
  return found;
}

/** Where the contents of an overlay come from: mostly from the last of its lower directories. */
function lowestOf({ superOptions, mountPoint }: MountInfo): string | undefined {
  const lowers = superOptions.findLast((option) => option.startsWith("lowerdir"));
  const lowest = lowers
    ?.slice(lowers.indexOf("=") + 1)
    .split(":")
    .at(-1);
  // Where the overlay itself hides the directory nothing more is known.
  const known = lowest?.startsWith("/") === true && !`${lowest}/`.startsWith(`${mountPoint}/`);
  return known && !lowest.startsWith("/proc/") ? lowest : undefined;
}
