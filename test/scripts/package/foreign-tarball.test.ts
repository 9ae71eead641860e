import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { ownArchitecture, traitsOf } from "../../../scripts/image/architecture.ts";
import { version } from "../../../src/base/version.ts";

const architecture = ownArchitecture() === "amd64" ? "arm64" : "amd64";
const { machine } = traitsOf(architecture);
const tarball = join(import.meta.dirname, "../../../build", `kata-agent-${version}-${machine}.tar.zst`);
// scripts/prepare-vm.ts makes it where the cross compiler is.
const skip = existsSync(tarball) ? false : `no tarball for ${architecture} was made here`;

/** What an ELF file says it runs on, at offset 18 (gABI, e_machine). */
const machineNumbers: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183 };

test(`the tarball for ${architecture} holds programs and libraries of no other processor`, {
  skip,
}, async (t) => {
  const folder = t.testdir();
  execFileSync("tar", ["--zstd", "-xf", tarball, "-C", folder]);
  const files = globSync("usr/**", { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile());
  const programs = files
    .map((entry) => ({ name: entry.name, bytes: readFileSync(join(entry.parentPath, entry.name)) }))
    .filter(({ bytes }) => bytes.subarray(0, 4).toString("latin1") === "\u007fELF");
  const names = programs.map(({ name }) => name);
  for (const name of ["kata-agent", "kata-hook", "kata.node", "node", "crun", "ip"])
    t.ok(names.includes(name), name);
  for (const { name, bytes } of programs) t.equal(bytes.readUInt16LE(18), machineNumbers[machine], name);
});
