import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { readTree, type TreeEntry, type TreeSources } from "../image/guest-tree.ts";

/** What most distributions have, and the tarball brings where it is wanted. */
export const extras = ["crun", "iproute2"] as const;
/** One of {@link extras}. */
export type Extra = (typeof extras)[number];

const placeOf: Readonly<Record<Extra, string>> = { crun: "/usr/bin/crun", iproute2: "/usr/sbin/ip" };

/**
 * Where libraries go that the tarball brings: a folder that no other program looks into. Laid over those of a
 * distribution, they would take the place of newer ones.
 */
export const libraryFolder = "/usr/lib/kata-agent-node/lib";

const cLibrary = /^(ld-linux.*|lib(c|m|dl|rt|pthread|resolv|util|nsl|anl))\.so/;

/** Whether it belongs to the C library. Its parts and the loader fit only each other, so they are the distribution's. */
export function isCLibrary(name: string): boolean {
  return cLibrary.test(name);
}

const lists = join(import.meta.dirname, "../../rootfs");

/**
 * What the tarball holds: the agent with its Node, the units of a systemd guest, all licences, and the extras, with the libraries that
 * they need moved to {@link libraryFolder}. Only files and links below `/usr`, no folders: a folder in an archive would
 * take the place of a link of the distribution.
 */
export function carriedEntries(sources: TreeSources, wanted: readonly Extra[]): TreeEntry[] {
  const [agent, ...others] = ["agent.tree", "systemd-agent.tree", "licences.tree"].map((list) =>
    readFileSync(join(lists, list), "utf8"),
  );
  const unwanted = extras.filter((extra) => !wanted.includes(extra)).map((extra) => placeOf[extra]);
  const isWanted = (line: string): boolean => !unwanted.some((path) => line.split(/\s+/)[1] === path);
  const lines = [...(agent ?? "").split("\n"), `exec ${placeOf.iproute2} ip`].filter(isWanted);
  const entries = readTree([...lines, ...others].join("\n"), sources, "agent tarball").flatMap(moved);
  const outside = entries.find(
    ({ path, kind }) => !path.startsWith("/usr/") || kind === "dir" || kind === "node",
  );
  if (outside !== undefined) throw new Error(`the tarball cannot hold ${outside.path}`);
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}

function moved(entry: TreeEntry): TreeEntry[] {
  const name = basename(entry.path);
  if (entry.isLibrary !== true) return [entry];
  return isCLibrary(name) ? [] : [{ ...entry, path: join(libraryFolder, name) }];
}
