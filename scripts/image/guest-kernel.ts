import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Architecture, ownArchitecture } from "./architecture.ts";
import type { CpioEntry } from "./cpio.ts";

/** A kernel that was unpacked, not installed: its image and the folder of its modules. */
export type GuestKernel = { readonly release: string; readonly image: string; readonly modulesDir: string };

// Debian's cloud kernels of this series have virtio, ext4 and virtiofs built in, modules for the rest.
const series = "6.12";

/** The kernel among the unpacked packages below `system`. Throws an Error when there is none. */
export function guestKernel(system: string): GuestKernel {
  const [image = ""] = globSync(join(system, "boot/vmlinuz-*"));
  const release = basename(image).replace("vmlinuz-", "");
  if (release === "") throw new Error(`no kernel in ${system}`);
  return { release, image, modulesDir: join(system, "lib/modules", release) };
}

/**
 * Name of the newest kernel package of the series. The kernels of all architectures are built together, so what apt
 * knows for this machine's holds for another one. Throws an Error with a plain word when apt knows none.
 */
export function newestKernel(architecture: Architecture): string {
  const own = ownArchitecture();
  const pattern = `^linux-image-${series.replace(".", "\\.")}\\.[^ ]*cloud-${own}$`;
  const said = execFileSync("apt-cache", ["search", "--names-only", pattern], { encoding: "utf8" });
  const names = said
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" ")[0] ?? "");
  const newest = names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (newest) return newest.replace(new RegExp(`${own}$`), architecture);
  throw new Error(`apt knows no package linux-image-${series}…-cloud-${own}; try apt-get update`);
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
