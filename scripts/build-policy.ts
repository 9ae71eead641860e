import { spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Target } from "./target.ts";

/** As in Cargo.toml. */
const neededMinor = 91;

/**
 * Compiles the policy engine (src/sys/policy-engine) into `lib/policy.node`. Only where cargo is and its crates are, or
 * can be fetched: without it everything else works, and SetPolicy answers NOT_FOUND. For another architecture rustup has
 * to be there too, for its standard library. Says so, and returns whether it was built. Throws when the compiler refuses.
 */
export function buildPolicyEngine(root: string, lib: string, target: Target): boolean {
  const folder = join(root, "src/sys/policy-engine");
  const cache = join(root, ".cache/policy-engine");
  const placed = join(lib, "policy.node");
  const linker = `CARGO_TARGET_${target.rustTriple.toUpperCase().replaceAll("-", "_")}_LINKER`;
  const env = {
    ...process.env,
    CARGO_TARGET_DIR: cache,
    RUSTFLAGS: withoutPlaces(root),
    [linker]: target.compiler,
  };
  const cargo = (...args: string[]) =>
    spawnSync("cargo", [...args, "--locked", "--quiet"], { cwd: folder, stdio: "inherit", env }).status === 0;
  // Nothing old in its place: it would answer for sources that it was not made from.
  rmSync(placed, { force: true });
  const version = cargoVersion();
  if (version === undefined) return without("there is no cargo");
  if (version < neededMinor) return without(`cargo is older than 1.${neededMinor}`);
  if (!cargo("fetch")) return without("its crates cannot be fetched");
  if (!target.isNative && !hasStandardLibrary(folder, target.rustTriple))
    return without(`there is no Rust library for ${target.architecture}`);
  const crossArgs = target.isNative ? [] : ["--target", target.rustTriple];
  if (!cargo("build", "--release", "--offline", ...crossArgs))
    throw new Error("the policy engine does not compile");
  copyFileSync(join(cache, ...crossArgs.slice(1), "release/libpolicy_engine.so"), placed);
  return true;
}

/** Messages of a panic name source files: without these flags with the folders of this machine, its user's name among them. */
function withoutPlaces(root: string): string {
  const crates = process.env["CARGO_HOME"] ?? join(homedir(), ".cargo");
  const given = process.env["RUSTFLAGS"] ?? "";
  return `${given} --remap-path-prefix=${root}=. --remap-path-prefix=${crates}=crates`.trim();
}

/** Gets the standard library of another architecture, where rustup can. */
function hasStandardLibrary(folder: string, triple: string): boolean {
  return (
    spawnSync("rustup", ["--quiet", "target", "add", triple], { cwd: folder, stdio: "ignore" }).status === 0
  );
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
