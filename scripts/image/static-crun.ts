/**
 * crun, compiled from the distribution's source package into one static program without systemd.
 *
 * A container's life is half a dozen runs of crun, and more than a third of each was the loading of libraries. What it is
 * linked with comes as packages of the target's architecture, unpacked and not installed (a sysroot), so the way is the
 * same for the cross compiler. Made once for a version and kept in .cache/crun.
 */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { buildTarget } from "../target.ts";
import { type Architecture, traitsOf } from "./architecture.ts";
import { downloadSource } from "./private-apt.ts";
import { type SystemRoot, unpackPackages } from "./system-root.ts";

const projectDir = join(import.meta.dirname, "../..");

/** Libraries it is linked with, and what the C compiler needs below a root of its own. */
const linkedPackages = ["libc6-dev", "libyajl-dev", "libseccomp-dev", "libcap-dev"];

// What would add libraries for nothing: no control groups by systemd, no checkpoints, no plug-ins, no cache of filters.
const configuration = [
  ...["--quiet", "--disable-systemd", "--disable-criu", "--disable-dl", "--disable-shared"],
  ...["--with-python-bindings=no", "ac_cv_search_gcry_check_version=no"],
];

/**
 * Path of the static crun for the version that `system` has as a package; undefined when it cannot be made here, which
 * `say` is told with the reason.
 */
export function staticCrun(system: SystemRoot, say: (line: string) => void): string | undefined {
  const packaged = system.packages.find(({ name }) => name === "crun");
  if (packaged === undefined) throw new Error("there is no package crun in rootfs/packages");
  const { architecture } = system;
  const version = packaged.sourceVersion;
  const folder = join(projectDir, ".cache/crun", `${architecture}-${version}`);
  const program = join(folder, "crun");
  if (existsSync(program)) return program;
  const work = `${folder}.${process.pid}`;
  say(`compiling crun ${version} (${architecture}, once, about a minute)`);
  try {
    mkdirSync(work, { recursive: true });
    compile(version, architecture, work);
    mkdirSync(folder, { recursive: true });
    renameSync(join(work, "source/crun"), program);
    return program;
  } catch (error) {
    say(`crun could not be compiled, the packaged one with its libraries takes its place: ${reason(error)}`);
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function compile(version: string, architecture: Architecture, work: string): void {
  const sysroot = join(work, "sysroot");
  unpackPackages(sysroot, linkedPackages, architecture);
  const { triplet } = traitsOf(architecture);
  // Debian calls the static library otherwise, since it has no symbols of its own for one.
  symlinkSync("libyajl_s.a", join(sysroot, "usr/lib", triplet, "libyajl.a"));
  downloadSource("crun", version, work);
  const [description = ""] = globSync("crun_*.dsc", { cwd: work });
  run("dpkg-source", ["--no-check", "--extract", description, "source"], work);
  const source = join(work, "source");
  const { compiler, strip } = buildTarget(projectDir, architecture);
  const variables = [
    `CC=${compiler} --sysroot=${sysroot}`,
    // No path of this machine in the program: the same bytes wherever it is made.
    `CFLAGS=-O2 -ffile-prefix-map=${work}=.`,
    "LDFLAGS=-static",
  ];
  const pkgConfig = {
    PKG_CONFIG_SYSROOT_DIR: sysroot,
    PKG_CONFIG_LIBDIR: join(sysroot, "usr/lib", triplet, "pkgconfig"),
  };
  run("./configure", [...configuration, `--host=${triplet}`, ...variables], source, pkgConfig);
  // All its sources include what these make, and make is not told so: with two jobs it is a matter of luck.
  run("make", ["-s", "git-version.h"], source, pkgConfig);
  run("make", ["-s", "-j2", "-C", "libocispec"], source, pkgConfig);
  run("make", ["-s", "-j2", "crun", "LDFLAGS=-static -all-static"], source, pkgConfig);
  run(strip, ["crun"], source);
}

function run(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): void {
  execFileSync(file, args, {
    cwd,
    env: { ...process.env, ...env, LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
    maxBuffer: 16 << 20,
  });
}

/** The last line of what a tool complained about. */
function reason(error: unknown): string {
  const { stderr, message } = error as { stderr?: Buffer; message?: string };
  const lines = (stderr?.toString() ?? "").trim().split("\n");
  return lines.findLast((line) => /error|E:/i.test(line)) ?? lines.at(-1) ?? String(message);
}
