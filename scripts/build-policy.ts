import { spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** As in Cargo.toml. */
const neededMinor = 91;

/**
 * Compiles the policy engine (src/sys/policy-engine) into `lib/policy.node`. Only where cargo is and its crates are, or
 * can be fetched: without it everything else works, and SetPolicy answers NOT_FOUND. Says so, and returns whether it
 * was built. Throws when the compiler refuses.
 */
export function buildPolicyEngine(root: string, lib: string): boolean {
  const folder = join(root, "src/sys/policy-engine");
  const target = join(root, ".cache/policy-engine");
  const placed = join(lib, "policy.node");
  const env = { ...process.env, CARGO_TARGET_DIR: target };
  const cargo = (...args: string[]) =>
    spawnSync("cargo", [...args, "--locked", "--quiet"], { cwd: folder, stdio: "inherit", env }).status === 0;
  // Nothing old in its place: it would answer for sources that it was not made from.
  rmSync(placed, { force: true });
  const version = cargoVersion();
  if (version === undefined) return without("there is no cargo");
  if (version < neededMinor) return without(`cargo is older than 1.${neededMinor}`);
  if (!cargo("fetch")) return without("its crates cannot be fetched");
  if (!cargo("build", "--release", "--offline")) throw new Error("the policy engine does not compile");
  copyFileSync(join(target, "release/libpolicy_engine.so"), placed);
  return true;
}

/** The minor version of cargo, as long as the major one is 1. */
function cargoVersion(): number | undefined {
  const { stdout } = spawnSync("cargo", ["--version"], { encoding: "utf8" });
  const found = /^cargo 1\.(\d+)/.exec(stdout ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

function without(reason: string): false {
  process.stdout.write(`the policy engine was not built (${reason}): SetPolicy will answer NOT_FOUND\n`);
  return false;
}
