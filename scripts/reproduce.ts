// Builds the sources twice, from scratch and in two folders, and compares every file that comes out: programs, images,
// tarballs, the Debian package, bills of materials.
//
//   node scripts/reproduce.ts
//
// Debian's packages are fetched once, and so is the tool for the bills. What differs is named, and then the exit is 1 and
// both copies stay in build/reproduce.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { sourceDateS } from "./image/source-date.ts";
import { ownSystemRoot } from "./image/system-root.ts";

const root = join(import.meta.dirname, "..");
const place = join(root, "build/reproduce");
const say = (line: string): void => void process.stdout.write(`reproduce: ${line}\n`);

const steps: readonly (readonly string[])[] = [
  ["build.ts"],
  ["image/rootfs.ts"],
  ["image/rootfs.ts", "--format", "erofs"],
  ["image/rootfs.ts", "--format", "ext4", "--init", "systemd"],
  ["package/agent-tarball.ts"],
  ["package/package.ts"],
];

/** The files that git knows, as they are now, with the npm packages as they are installed. */
function copySources(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const listed = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" });
  for (const path of listed.split("\0").filter((name) => name !== ""))
    cpSync(join(root, path), join(folder, path));
  // Links, not one link to the folder: the bundler would see through that.
  execFileSync("cp", ["-al", join(root, "node_modules"), join(folder, "node_modules")]);
  mkdirSync(join(folder, ".cache"));
  for (const shared of ["system", "sbom"]) {
    mkdirSync(join(root, ".cache", shared), { recursive: true });
    symlinkSync(join(root, ".cache", shared), join(folder, ".cache", shared));
  }
}

/** Builds a copy of the sources, whose time is `timeS`, and returns the hash of each file of its build. */
function built(folder: string, timeS: number): Map<string, string> {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(timeS) };
  const node = join(folder, "node_modules/.bin/node");
  for (const [script = "", ...args] of steps) {
    say(`${basename(folder)}: ${[basename(script, ".ts"), ...args].join(" ")}`);
    const command = [join(folder, "scripts", script), ...args];
    execFileSync(node, command, { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] });
  }
  const build = join(folder, "build");
  const files = globSync("**", { cwd: build, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(build.length + 1)).sort();
  return new Map(paths.map((path) => [path, hashOf(join(build, path))]));
}

const hashOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

ownSystemRoot(say);
rmSync(place, { recursive: true, force: true });
const folders = [join(place, "one"), join(place, "another/two")];
const timeS = sourceDateS(root);
// Both before the first is built, which takes minutes: nobody should have to leave the sources alone so long.
for (const folder of folders) copySources(folder);
const [one, other] = folders.map((folder) => built(folder, timeS)) as [
  Map<string, string>,
  Map<string, string>,
];
const names = [...new Set([...one.keys(), ...other.keys()])];
const different = names.filter((name) => one.get(name) !== other.get(name));
for (const name of different) say(`${name} differs`);
if (different.length > 0) process.exitCode = 1;
else {
  for (const name of names.filter((each) => /\.(gz|img|zst|deb)$/.test(each)))
    say(`${one.get(name)}  ${name}`);
  say(`two builds, ${names.length} files, all the same`);
  rmSync(place, { recursive: true });
}
