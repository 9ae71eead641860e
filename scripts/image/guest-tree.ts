import { existsSync, globSync, lstatSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { Architecture } from "./architecture.ts";
import type { CpioEntry } from "./cpio.ts";
import { librariesOf } from "./libraries.ts";
import { realPathBelow, realPathOf } from "./real-path.ts";

/** Where what the lists name is found. */
export type TreeSources = {
  readonly architecture: Architecture;
  /** What was built for that architecture: relative sources are in it. */
  readonly build: string;
  /** The distribution's files: absolute sources, programs and all libraries are below it. */
  readonly system: string;
};

/** An entry of a guest's root; `isLibrary` when no list names it but a program needs it. */
export type TreeEntry = CpioEntry & { readonly isLibrary?: true };

const listsDir = join(import.meta.dirname, "../../rootfs");

/**
 * Reads lists of rootfs/ (`agent.tree` and so on; rootfs/README.md says how they are written) and returns the entries
 * of a guest's root, one for each path, with the libraries of programs. A later list wins over an earlier one.
 * Throws an Error that names the line that cannot be met.
 */
export function readTrees(lists: readonly string[], sources: TreeSources): TreeEntry[] {
  return uniqueByPath(
    lists.flatMap((list) => readTree(readFileSync(join(listsDir, list), "utf8"), sources, list)),
  );
}

/** The same for the text of one list; `name` is for errors. */
export function readTree(text: string, sources: TreeSources, name = "list"): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    try {
      entries.push(...entriesOf(line, sources));
    } catch (error) {
      throw new Error(`${name}: ${line}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return uniqueByPath(entries);
}

const uniqueByPath = (entries: readonly TreeEntry[]): TreeEntry[] => [
  ...new Map(entries.map((entry) => [entry.path, entry])).values(),
];

type FolderEntry = { readonly kind: "dir"; readonly path: string; readonly mode: number };

/** Adds the folders above the entries, mode 755, where no entry names them. */
export function withFolders<E extends CpioEntry>(entries: readonly E[]): (E | FolderEntry)[] {
  const paths = new Map<string, E | FolderEntry>(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let up = dirname(path); up !== "/"; up = dirname(up)) {
      if (!paths.has(up)) paths.set(up, { kind: "dir", path: up, mode: 0o755 });
    }
  }
  return [...paths.values()];
}

function entriesOf(line: string, sources: TreeSources): TreeEntry[] {
  const [kind = "", path = "", third = "", ...rest] = line.split(/\s+/);
  const mode = Number.parseInt(third, 8);
  switch (kind) {
    case "dir":
      return [{ kind, path, mode }];
    case "link":
      return [{ kind, path, mode: 0o777, target: third }];
    case "node":
      return [{ kind, path, mode, major: Number(rest[0]), minor: Number(rest[1]) }];
    case "text":
      return [{ kind: "file", path, mode, data: Buffer.from(rest.length > 0 ? `${rest.join(" ")}\n` : "") }];
    case "file":
      return [{ kind, path, mode, source: locate(rest[0] ?? "", sources) }];
    case "glob":
      return matching(rest[0] ?? "", sources).map((source) => ({
        kind: "file",
        path: path === "same" ? join("/", relative(sources.system, source)) : join(path, basename(source)),
        mode,
        source: realSource(source, sources),
      }));
    case "exec":
      return program(path, locate(third, sources), sources);
    default:
      throw new Error(`no such kind of entry: ${kind}`);
  }
}

/** What a pattern met, links followed: below the distribution's root or in the build. */
function realSource(found: string, { build, system }: TreeSources): string {
  return found.startsWith(`${build}/`) ? realpathSync(found) : realPathOf(system, found);
}

function matching(pattern: string, { build, system }: TreeSources): string[] {
  const found = globSync(join(pattern.startsWith("/") ? system : build, pattern));
  if (found.length === 0) throw new Error("nothing matches");
  return found.sort();
}

const programFolders = ["usr/sbin", "usr/bin", "sbin", "bin"];

/** A source as lists name it: `/path` and `program` of the distribution, `folder/file` and `./file` of the build. */
function locate(name: string, { build, system }: TreeSources): string {
  if (name.startsWith("/")) return realPathBelow(system, name);
  if (name.startsWith("rootfs/")) return existing(join(listsDir, "..", name));
  if (name.includes("/")) return existing(join(build, name));
  const places = programFolders.map((folder) => join(system, folder, name));
  const found = places.find((place) => lstatSync(place, { throwIfNoEntry: false }) !== undefined);
  if (found === undefined) throw new Error(`${name} is not in ${system}`);
  return realPathOf(system, found);
}

function existing(path: string): string {
  if (!existsSync(path)) throw new Error(`${path} is missing`);
  return realpathSync(path);
}

/** A program and every library it needs, in its place below /usr. */
function program(path: string, source: string, { system, architecture }: TreeSources): TreeEntry[] {
  const entries: TreeEntry[] = [{ kind: "file", path, mode: 0o755, source }];
  for (const library of librariesOf(source, system, architecture)) {
    const place = library.startsWith("/usr/") ? library : join("/usr", library);
    const file = realPathBelow(system, library);
    entries.push({ kind: "file", path: place, mode: 0o755, source: file, isLibrary: true });
  }
  return entries;
}
