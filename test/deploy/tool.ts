import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/cluster");
const limitMs = 400_000;

/** The folder with the chart and the manifests. */
export const deployFolder = join(root, "deploy");
/** The chart. */
export const chart = join(deployFolder, "helm/kata-agent-node");

/** Where scripts/cluster/tools.ts has put something. */
export function toolPath(...parts: string[]): string {
  return join(cache, ...parts);
}

/** Why tests that need these are skipped, or false when all are there. */
export function skipWithoutTools(...names: string[]): string | false {
  const missing = names.filter((name) => !existsSync(toolPath(name)));
  return missing.length > 0 && `${missing.join(", ")} could not be had on this machine`;
}

/** How a tool ended. */
export type Judged = { readonly ok: boolean; readonly stdout: string; readonly output: string };

/** Runs a tool; `input` is its stdin. It has no network to ask and no home to look into. */
export function runTool(name: string, args: readonly string[], input = ""): Promise<Judged> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], HOME: "/nonexistent" };
    const child = execFile(
      toolPath(name),
      args,
      { env, timeout: limitMs, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ ok: error === null, stdout, output: stdout + stderr }),
    );
    child.stdin?.on("error", () => {}); // it may end without reading
    child.stdin?.end(input);
  });
}
