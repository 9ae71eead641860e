import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type Architecture,
  asArchitecture,
  buildFolder,
  ownArchitecture,
  traitsOf,
} from "./image/architecture.ts";

/** What programs are built for, and with what. */
export type Target = {
  readonly architecture: Architecture;
  /** Whether this machine can run what is built. */
  readonly isNative: boolean;
  /** Where the executables go, absolute. */
  readonly out: string;
  /** The C compiler. */
  readonly compiler: string;
  /** The strip of the same toolchain. */
  readonly strip: string;
  /** The word of Rust for it, such as `x86_64-unknown-linux-gnu`. */
  readonly rustTriple: string;
  /** Debian's package of the compiler. */
  readonly compilerPackage: string;
};

/** Reads `--arch ARCH` out of a command line, else this machine's. Throws an Error for another word. */
export function wantedArchitecture(args: readonly string[]): Architecture {
  const at = args.indexOf("--arch");
  if (at < 0) return ownArchitecture();
  const word = args[at + 1];
  if (word === undefined) throw new Error("--arch takes amd64 or arm64");
  return asArchitecture(word);
}

/** What building for `architecture` means on this machine: build/ for its own, a folder below for another. */
export function buildTarget(root: string, architecture: Architecture): Target {
  const isNative = architecture === ownArchitecture();
  const { triplet, machine } = traitsOf(architecture);
  const prefix = isNative ? "" : `${triplet}-`;
  return {
    architecture,
    isNative,
    out: buildFolder(root, architecture),
    compiler: `${prefix}gcc`,
    strip: `${prefix}strip`,
    rustTriple: `${machine}-unknown-linux-gnu`,
    compilerPackage: isNative ? "gcc" : `gcc-${triplet.replace("_", "-")}`,
  };
}

/**
 * The pinned Node for `target`: this very program, or for another architecture the one of the registry, fetched once
 * into .cache. Throws an Error when it cannot be had.
 */
export function nodeFor(root: string, target: Target): string {
  if (target.isNative) return process.execPath;
  const name = `node-linux-${traitsOf(target.architecture).nodeArch}`;
  const cache = join(root, ".cache/nodes");
  const version = process.versions.node;
  const made = join(cache, `${name}-${version}`);
  if (!existsSync(made)) fetchNode(`${name}@${version}`, cache, made);
  return join(made, "bin/node");
}

/** Unpacks an npm package that `npm install` refuses, since it is not for this machine. */
function fetchNode(wanted: string, cache: string, made: string): void {
  const part = `${made}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  try {
    execFileSync("npm", ["pack", "--silent", "--pack-destination", part, wanted], {
      cwd: cache,
      stdio: ["ignore", "ignore", "inherit"],
    });
    execFileSync("sh", ["-c", "tar -xzf ./*.tgz --strip-components=1 && rm ./*.tgz"], { cwd: part });
    const { version } = JSON.parse(readFileSync(join(part, "package.json"), "utf8")) as { version: string };
    if (!wanted.endsWith(`@${version}`)) throw new Error(`asked for ${wanted}, got ${version}`);
    renameSync(part, made);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** Whether the compiler of `target` is there; else building for it makes no sense. */
export function hasCompiler(target: Target): boolean {
  return spawnSync(target.compiler, ["--version"], { stdio: "ignore" }).status === 0;
}
