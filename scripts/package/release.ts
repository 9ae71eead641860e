import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Architecture, traitsOf } from "../image/architecture.ts";

/** What the packages of this build are called, and from when they are. */
export type Release = {
  readonly name: string;
  readonly version: string;
  /** As Node calls it, `x64`. */
  readonly arch: string;
  /** As Debian calls it, `amd64`. */
  readonly debianArch: Architecture;
  /** Seconds since 1970: the time of every file in a package, so that the same files make the same package. */
  readonly dateS: number;
};

/** Reads package.json; the time is SOURCE_DATE_EPOCH, else that of the last commit. */
export function describeRelease(root: string, architecture: Architecture, env: NodeJS.ProcessEnv): Release {
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { nodeArch } = traitsOf(architecture);
  return { name, version, arch: nodeArch, debianArch: architecture, dateS: sourceDateS(root, env) };
}

/** What the packages are called. */
export function packageNames(release: Release): {
  readonly top: string;
  readonly tarball: string;
  readonly deb: string;
} {
  const { name, version, arch, debianArch } = release;
  const top = `${name}-${version}-linux-${arch}`;
  return { top, tarball: `${top}.tar.zst`, deb: `${name}_${version}_${debianArch}.deb` };
}

function sourceDateS(root: string, env: NodeJS.ProcessEnv): number {
  const given = env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  try {
    const git = ["-C", root, "log", "-1", "--format=%ct"];
    return Number(execFileSync("git", git, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    return firstDayS; // sources without their history
  }
}

/** 1980-01-01, the earliest that every archive format can hold. */
const firstDayS = 315_532_800;
