import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const requirements = join(import.meta.dirname, "sbom-requirements.txt");

/**
 * The Python that has debsbom and the judge of its documents, got once into .cache/sbom. Throws an Error with the words of
 * what failed where there is no Python with venv or no registry.
 */
export function sbomPython(): string {
  const key = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 8);
  const folder = join(import.meta.dirname, "../../.cache/sbom", key);
  const python = join(folder, "bin/python");
  if (existsSync(python)) return python;
  const making = `${folder}.${process.pid}`;
  mkdirSync(dirname(making), { recursive: true });
  try {
    run("python3", ["-m", "venv", making]);
    const quiet = ["--quiet", "--disable-pip-version-check"];
    run(join(making, "bin/python"), ["-m", "pip", "install", ...quiet, "-r", requirements]);
    // Who was faster has got the same.
    if (!existsSync(folder)) renameSync(making, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return python;
}

/** Runs debsbom in `cwd`; its documents are the same for the same input. Throws an Error with its words. */
export function debsbom(cwd: string, ...args: string[]): void {
  // By its module: the script beside it names the folder where it was installed first.
  run(sbomPython(), ["-m", "debsbom.cli", ...args], cwd);
}

function run(file: string, args: readonly string[], cwd = "/"): void {
  try {
    // Sets of Python have an order of their own in each run.
    const env = { ...process.env, PYTHONHASHSEED: "0" };
    execFileSync(file, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"], maxBuffer: 16 << 20 });
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message?: string };
    throw new Error(stderr?.toString().trim().split("\n").at(-1) || message);
  }
}
