import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the packages of this build are called, and from when they are. */
export type Release = {
  readonly name: string;
  readonly version: string;
  /** As Node calls it, `x64`. */
  readonly arch: string;
  /** As Debian calls it, `amd64`. */
  readonly debianArch: string;
  /** Seconds since 1970: the time of every file in a package, so that the same files make the same package. */
  readonly dateS: number;
};

const debianArchs: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Reads package.json; the time is SOURCE_DATE_EPOCH, else that of the last commit. */
export function describeRelease(root: string, env: NodeJS.ProcessEnv): Release {
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { arch } = process;
  return { name, version, arch, debianArch: debianArchs[arch] ?? arch, dateS: sourceDateS(root, env) };
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
