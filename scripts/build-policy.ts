import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Compiles the policy engine (src/sys/policy-engine) into `lib/policy.node`. Only where cargo is and its crates are, or
 * can be fetched: without it everything else works, and SetPolicy answers NOT_FOUND. Says so, and returns whether it
 * was built. Throws when the compiler refuses.
 */
export function buildPolicyEngine(root: string, lib: string): boolean {
  const folder = join(root, "src/sys/policy-engine");
  const target = join(root, ".cache/policy-engine");
  const placed = join(lib, "policy.node");
  const cargo = (args: readonly string[], stdio: "inherit" | "ignore") =>
    spawnSync("cargo", args, { cwd: folder, stdio, env: { ...process.env, CARGO_TARGET_DIR: target } })
      .status === 0;
  // Nothing old in its place: it would answer for sources that it was not made from.
  rmSync(placed, { force: true });
  if (!cargo(["--version"], "ignore")) return without("there is no cargo");
  if (!cargo(["fetch", "--locked", "--quiet"], "inherit")) return without("its crates cannot be fetched");
  const args = ["build", "--release", "--locked", "--offline", "--quiet"];
  execFileSync("cargo", args, {
    cwd: folder,
    stdio: "inherit",
    env: { ...process.env, CARGO_TARGET_DIR: target },
  });
  copyFileSync(join(target, "release/libpolicy_engine.so"), placed);
  return true;
}

function without(reason: string): false {
  process.stdout.write(`the policy engine was not built (${reason}): SetPolicy will answer NOT_FOUND\n`);
  return false;
}
