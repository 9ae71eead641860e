import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianSources } from "./debian-sources.ts";

/**
 * Downloads the source of a package into `folder`, by lists that only this knows: those of the machine mostly leave the
 * sources out. Needs no root. Throws an Error with apt's words.
 */
export function downloadSource(name: string, version: string, folder: string): void {
  const apt = join(folder, "apt");
  for (const part of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(apt, part), { recursive: true });
  const lines = debianSources({ sourceCode: true }).lines.filter((line) => line.startsWith("deb-src "));
  writeFileSync(join(apt, "sources.list"), lines.map((line) => `${line}\n`).join(""));
  const settings = {
    "Dir::Etc::sourcelist": join(apt, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::State": join(apt, "state"),
    "Dir::Cache": join(apt, "cache"),
    // It would warn that another user cannot write here.
    "APT::Sandbox::User": "",
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const run = (...args: string[]): unknown =>
    execFileSync("apt-get", ["-qq", ...options, ...args], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
  run("update");
  run("source", "--download-only", `${name}=${version}`);
}
