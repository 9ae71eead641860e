import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { aptOptions } from "../image/apt-options.ts";
import { debianSources } from "../image/debian-sources.ts";

const root = join(import.meta.dirname, "../..");

/**
 * The distribution of this machine with these packages installed, as an archive (`.cache/osbuilder/<hash>.tar`); made once
 * for each list of packages. Needs root; what is mounted meanwhile is in a mount namespace of its own. Throws an Error
 * when mmdebstrap fails; it tells why on standard error.
 */
export function debianRoot(packages: readonly string[], say: (line: string) => void): string {
  const { release, lines } = debianSources();
  const key = createHash("sha256")
    .update([release, ...packages].join())
    .digest("hex")
    .slice(0, 8);
  const archive = join(root, ".cache/osbuilder", `${key}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(dirname(archive), { recursive: true });
  say(`installing ${packages.join(", ")} into a root of their own`);
  const include = `--include=${packages.join(",")}`;
  const options = ["--quiet", "--variant=required", "--format=tar", include, ...aptOptions()];
  const part = `${archive}.${process.pid}.tar`;
  execFileSync("unshare", ["--mount", "mmdebstrap", ...options, release, part, ...lines], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  renameSync(part, archive);
  return archive;
}
