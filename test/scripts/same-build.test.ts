import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "tap";

const root = join(import.meta.dirname, "../..");
const sources = ["src", "scripts", "package.json", "package-lock.json", "tsconfig.json"];

/** Builds a copy of the sources, and returns the hash of every file that came out. */
function buildCopy(folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  for (const name of sources) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  // The policy engine takes minutes to compile; `make reproduce` compares it too.
  const stand = join(folder, "no-cargo/cargo");
  mkdirSync(dirname(stand));
  writeFileSync(stand, "#!/bin/sh\nexit 1\n");
  chmodSync(stand, 0o755);
  const env = { ...process.env, NODE_OPTIONS: "", PATH: `${dirname(stand)}:${process.env["PATH"]}` };
  execFileSync(process.execPath, [join(folder, "scripts/build.ts")], { env });
  const build = join(folder, "build");
  const files = globSync("**", { cwd: build, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(build.length + 1)).sort();
  return Object.fromEntries(paths.map((path) => [path, hashOf(join(build, path))]));
}

const hashOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

test("two copies of the sources in two folders build the same files, V8's code among them", async (t) => {
  const dir = t.testdir();
  const built = buildCopy(join(dir, "one"));
  const names = Object.keys(built);
  for (const program of ["kata-agent", "kata-trace-forwarder", "agentctl"])
    for (const name of [program, `lib/${program}.bundle.js`, `lib/${program}.cache`])
      t.ok(names.includes(name), name);
  for (const name of ["lib/kata.node", "lib/kata-hook", "lib/trace-page.html"])
    t.ok(names.includes(name), name);
  t.same(buildCopy(join(dir, "another/place")), built);
});
