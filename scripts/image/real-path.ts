import { lstatSync, readlinkSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

// As the kernel has it.
const maxLinks = 40;

/**
 * The file that `path` is below `root`, links followed as a process would whose root that is: the packages of a
 * distribution have links with absolute targets (/sbin/ip → /bin/ip), and those mean its own files, not this machine's.
 * Throws the ENOENT of what is missing, an Error for links in a circle.
 */
export function realPathBelow(root: string, path: string): string {
  let rest = parts(path);
  let found = root;
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "..") {
      found = found === root ? root : dirname(found);
      continue;
    }
    const place = join(found, name);
    if (!lstatSync(place).isSymbolicLink()) {
      found = place;
      continue;
    }
    links += 1;
    if (links > maxLinks) throw new Error(`${path} is a circle of links`);
    const target = readlinkSync(place);
    if (target.startsWith("/")) found = root;
    rest = [...parts(target), ...rest];
  }
  return found;
}

/** The same for a path that `root` is a part of. */
export function realPathOf(root: string, place: string): string {
  return realPathBelow(root, relative(root, place));
}

const parts = (path: string): string[] => path.split(sep).filter((name) => name !== "" && name !== ".");
