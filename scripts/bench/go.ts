import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { built } from "./process.ts";

const source = join(import.meta.dirname, "../../test/interop/ttrpc-client");
const client = built("bench-client");

/**
 * Builds the load client on the ttRPC library that the real runtime uses.
 * @returns its path, or undefined where there is no Go or its modules cannot be had.
 */
export function goClient(): string | undefined {
  for (const go of ["go", "/usr/local/go/bin/go"]) {
    const made = spawnSync(go, ["build", "-o", client, "."], { cwd: source, stdio: "ignore" });
    if (made.status === 0) return client;
  }
  return undefined;
}
