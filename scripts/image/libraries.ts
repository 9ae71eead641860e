import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Architecture, traitsOf } from "./architecture.ts";

/**
 * Which shared libraries a program needs, read from its file and not told by the loader: the program may be made for
 * another architecture, and its libraries lie below a root of their own.
 *
 * An ELF file names its loader (interpreter) by path, and libraries by name (NEEDED), which the loader looks for in
 * folders that the file itself may add to (RUNPATH), then in those of the system. Libraries have needs of their own.
 */
type Needs = {
  readonly interpreter?: string;
  readonly names: readonly string[];
  readonly folders: readonly string[];
};

function readNeeds(file: string): Needs {
  const said = execFileSync("readelf", ["--wide", "--program-headers", "--dynamic", file], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, LC_ALL: "C" },
  });
  const all = (pattern: RegExp): string[] => [...said.matchAll(pattern)].map((match) => match[1] ?? "");
  const [interpreter] = all(/\[Requesting program interpreter: (\S+)\]/g);
  const folders = all(/\((?:RUNPATH|RPATH)\).*\[(.*)\]/g).flatMap((paths) => paths.split(":"));
  return {
    ...(interpreter ? { interpreter } : {}),
    names: all(/\(NEEDED\).*\[(.*)\]/g),
    // Relative to the file itself: nobody among Debian's programs does that, and Node neither.
    folders: folders.filter((folder) => folder.startsWith("/")),
  };
}

/**
 * The places of all libraries that `program` needs, its loader included, as paths below `root` (`/lib/…`, `/usr/lib/…`).
 * Throws an Error with the name of one that is not there.
 */
export function librariesOf(program: string, root: string, architecture: Architecture): string[] {
  const found = new Map<string, string>();
  const { triplet } = traitsOf(architecture);
  const system = [`/lib/${triplet}`, `/usr/lib/${triplet}`, "/lib", "/usr/lib", "/lib64", "/usr/lib64"];
  const visit = (file: string, inherited: readonly string[]): void => {
    const { interpreter, names, folders } = readNeeds(file);
    const places = [...folders, ...inherited, ...system];
    if (interpreter) found.set(interpreter.replace(/^.*\//, ""), interpreter);
    for (const name of names) {
      if (found.has(name)) continue;
      const folder = places.find((place) => existsSync(join(root, place, name)));
      if (folder === undefined) throw new Error(`${program} needs ${name}, which is not in ${root}`);
      found.set(name, join(folder, name));
      visit(join(root, folder, name), folders);
    }
  };
  visit(program, []);
  return [...found.values()];
}
