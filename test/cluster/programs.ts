import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/cluster");
const limitMs = 600_000;

/** Where scripts/cluster/control-plane.ts has put the programs of a control plane, helm and kubectl. */
export const programs = join(cache, "control-plane");
/** The Prometheus operator's definitions of its resources. */
export const operatorDefinitions = join(cache, "operator-definitions");

/** Why there is no control plane on this machine, or false. */
export function skipWithoutControlPlane(): string | false {
  const missing = [programs, operatorDefinitions].filter((path) => !existsSync(path));
  return missing.length > 0 && "no Kubernetes control plane here (make test-cluster gets it)";
}

/** How a program ended. */
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs helm or kubectl; `input` is its stdin. It has no home to look into. */
export function runClient(
  name: "helm" | "kubectl",
  kubeconfig: string,
  args: readonly string[],
  input = "",
): Promise<Ended> {
  return new Promise((resolve) => {
    const home = join(kubeconfig, "../home");
    const env = { PATH: `${programs}:${process.env["PATH"]}`, HOME: home, KUBECONFIG: kubeconfig };
    const options = { env, cwd: root, timeout: limitMs, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(join(programs, name), args, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin?.on("error", () => {}); // it may end without reading
    child.stdin?.end(input);
  });
}
