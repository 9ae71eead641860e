import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { CpioEntry } from "./cpio.ts";

/** A kernel that was unpacked, not installed: its image and the folder of its modules. */
export type GuestKernel = { readonly release: string; readonly image: string; readonly modulesDir: string };

// Debian's cloud kernels of this series have virtio, ext4 and virtiofs built in, modules for the rest.
const series = "6.12";

/**
 * The guest's kernel: the one in `cacheDir` if there is one, else the newest of its series among the packages that
 * apt knows. Needs apt and dpkg, not root. Throws an Error with a plain word when apt has none.
 */
export function guestKernel(cacheDir: string, say: (line: string) => void): GuestKernel {
  mkdirSync(cacheDir, { recursive: true });
  const cached = readdirSync(cacheDir).find((name) => existsSync(join(cacheDir, name, "lib/modules")));
  const unpacked = cached ? join(cacheDir, cached) : download(cacheDir, say);
  const [release = ""] = readdirSync(join(unpacked, "lib/modules"));
  const modulesDir = join(unpacked, "lib/modules", release);
  // The package is made to be installed, so its list of dependencies is made by us.
  if (!existsSync(join(modulesDir, "modules.dep"))) run("depmod", ["-b", unpacked, release]);
  return { release, image: join(unpacked, "boot", `vmlinuz-${release}`), modulesDir };
}

function download(cacheDir: string, say: (line: string) => void): string {
  const name = newestPackage();
  say(`fetching ${name}`);
  const work = join(cacheDir, `.${name}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "root"), { recursive: true });
  run("apt-get", ["-qq", "download", name], work);
  const [archive = ""] = globSync("*.deb", { cwd: work });
  run("dpkg", ["-x", archive, "root"], work);
  renameSync(join(work, "root"), join(cacheDir, name));
  rmSync(work, { recursive: true, force: true });
  return join(cacheDir, name);
}

function newestPackage(): string {
  const architecture = run("dpkg", ["--print-architecture"]).trim();
  const pattern = `^linux-image-${series.replace(".", "\\.")}\\.[^ ]*cloud-${architecture}$`;
  const search = (): string[] =>
    run("apt-cache", ["search", "--names-only", pattern]).split("\n").filter(Boolean);
  let found = search();
  if (found.length === 0 && process.getuid?.() === 0) {
    run("apt-get", ["-qq", "update"]);
    found = search();
  }
  const names = found.map((line) => line.split(" ")[0] ?? "");
  const newest = names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (newest) return newest;
  throw new Error(`apt knows no package linux-image-${series}…-cloud-${architecture}; try apt-get update`);
}

function run(file: string, args: readonly string[], cwd?: string): string {
  // apt warns when it cannot lower its rights for a folder of ours; its errors come with the exception.
  return execFileSync(file, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd ? { cwd } : {}),
  });
}

/**
 * The modules named in `text` (see rootfs/modules) and all they need, unpacked, as files of the guest, with what
 * modprobe reads about them; and at `listPath` the list that the agent loads at boot: the paths of those above the
 * line of dashes, one a line, in load order.
 */
export function guestModules(kernel: GuestKernel, text: string, listPath: string): CpioEntry[] {
  const needs = dependencies(kernel);
  const chosen = new Set<string>();
  const choose = (path: string): void => {
    for (const needed of needs.get(path) ?? []) choose(needed);
    chosen.add(path);
  };
  const [atBoot = "", onDemand = ""] = text.split(/^---$/m);
  for (const name of wantedModules(kernel, atBoot)) choose(pathOf(needs, name));
  const list = [...chosen].map(guestPath(kernel));
  for (const name of wantedModules(kernel, onDemand)) choose(pathOf(needs, name));
  const textFile = (path: string, lines: readonly string[]): CpioEntry => {
    return { kind: "file", path, mode: 0o644, data: Buffer.from(lines.map((line) => `${line}\n`).join("")) };
  };
  const dependencyLines = [...chosen].map((path) => {
    const needed = [...(needs.get(path) ?? [])].reverse();
    return `${unpackedName(path)}:${needed.map((other) => ` ${unpackedName(other)}`).join("")}`;
  });
  return [
    textFile(listPath, list),
    textFile(guestPath(kernel)("modules.dep"), dependencyLines),
    textFile(guestPath(kernel)("modules.alias"), aliases(kernel, chosen)),
    ...[...chosen].map((path): CpioEntry => {
      const data = unpacked(join(kernel.modulesDir, path));
      return { kind: "file", path: guestPath(kernel)(path), mode: 0o644, data };
    }),
  ];
}

const unpackedName = (path: string): string => path.replace(/\.xz$/, "");

const guestPath =
  ({ release }: GuestKernel) =>
  (path: string): string =>
    join("/usr/lib/modules", release, unpackedName(path));

/** The names of a list, without those that this kernel has built in. */
function wantedModules(kernel: GuestKernel, text: string): string[] {
  const builtIn = new Set(
    readFileSync(join(kernel.modulesDir, "modules.builtin"), "utf8").split("\n").map(moduleName),
  );
  const names = text.split("\n").map((line) => line.trim());
  return names.filter((name) => name !== "" && !name.startsWith("#") && !builtIn.has(name));
}

function pathOf(needs: ReadonlyMap<string, unknown>, name: string): string {
  const path = [...needs.keys()].find((key) => moduleName(key) === name);
  if (!path) throw new Error(`rootfs/modules: this kernel has no module ${name}`);
  return path;
}

/** The lines `alias <pattern> <module>` of the chosen modules: by them the kernel and uevents ask for a module. */
function aliases(kernel: GuestKernel, chosen: ReadonlySet<string>): string[] {
  const names = new Set([...chosen].map(moduleName));
  const lines = readFileSync(join(kernel.modulesDir, "modules.alias"), "utf8").split("\n");
  return lines.filter((line) => names.has(line.split(" ")[2] ?? ""));
}

const moduleName = (path: string): string =>
  basename(path)
    .replace(/\.ko(\.xz)?$/, "")
    .replaceAll("-", "_");

/** modules.dep: `path: path path …`, the needed ones nearest first. */
function dependencies(kernel: GuestKernel): Map<string, string[]> {
  const needs = new Map<string, string[]>();
  for (const line of readFileSync(join(kernel.modulesDir, "modules.dep"), "utf8").split("\n")) {
    const [path, rest] = line.split(":");
    if (path && rest !== undefined) needs.set(path, rest.trim().split(" ").filter(Boolean).reverse());
  }
  return needs;
}

function unpacked(path: string): Uint8Array {
  if (!path.endsWith(".xz")) return readFileSync(path);
  return execFileSync("xz", ["-dc", path], { maxBuffer: 64 << 20 });
}
