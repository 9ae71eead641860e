/**
 * Compiles src/sys/native/*.c into build/kata.node with one call of the C compiler.
 *
 * `node scripts/build-native.ts [--out FILE] [compiler flags…]`; CC names another compiler than gcc. The headers
 * come with the npm package of the pinned Node; where its folder was pruned they are installed again into .cache.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const platform = `node-linux-${process.arch}`;

function findHeaders(): string {
  const cache = join(root, ".cache/node-headers");
  const places = ["node_modules/node/node_modules", "node_modules", ".cache/node-headers/node_modules"];
  const find = () =>
    places
      .map((place) => join(root, place, platform, "include/node"))
      .find((folder) => existsSync(join(folder, "node_api.h")));
  const found = find();
  if (found !== undefined) return found;
  mkdirSync(cache, { recursive: true });
  const wanted = `${platform}@${process.versions.node}`;
  execFileSync(
    "npm",
    ["install", "--no-save", "--no-package-lock", "--ignore-scripts", "--prefix", cache, wanted],
    {
      stdio: "inherit",
    },
  );
  const installed = find();
  if (installed === undefined) throw new Error(`no headers in ${wanted}`);
  return installed;
}

/** Sources of executables, which are no part of the addon. */
const programs = new Set(["launcher.c", "hook.c"]);

function build(out: string, flags: readonly string[]): void {
  const folder = join(root, "src/sys/native");
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith(".c") && !programs.has(name))
    .map((name) => join(folder, name));
  mkdirSync(dirname(out), { recursive: true });
  // Beside its place and then renamed: a running program keeps the file it has mapped.
  const fresh = `${out}.${process.pid}`;
  const always = [
    "-std=gnu17",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-shared",
    "-fPIC",
    "-fvisibility=hidden",
  ];
  const { CC = "gcc" } = process.env;
  const defines = ["-D_GNU_SOURCE", "-DNAPI_VERSION=8", "-pthread", "-isystem", findHeaders()];
  execFileSync(CC, [...always, ...defines, ...flags, ...sources, "-o", fresh], {
    stdio: "inherit",
  });
  renameSync(fresh, out);
}

const flags = process.argv.slice(2);
const outAt = flags.indexOf("--out");
const out = outAt < 0 ? join(root, "build/kata.node") : (flags.splice(outAt, 2)[1] ?? "");
build(out, flags);
