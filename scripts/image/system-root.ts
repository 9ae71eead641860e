/**
 * The distribution's files that guests are made of: packages laid into a folder, not installed, so it needs neither the
 * machine's own packages nor its processor.
 *
 * `.cache/system/<architecture>-<hash of the list>/` holds `root/`, the files, and `packages.json`, which package each is
 * from. It is made once; another list makes another folder. mmdebstrap fetches and unpacks in a mount namespace of its
 * own as root, in a user namespace as anybody else.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aptOptions } from "./apt-options.ts";
import { type Architecture, ownArchitecture } from "./architecture.ts";
import { debianSources } from "./debian-sources.ts";
import { newestKernel } from "./guest-kernel.ts";

/** A package whose files are in the root. */
export type DebianPackage = {
  readonly name: string;
  readonly version: string;
  /** Name and version of what it was made from. */
  readonly source: string;
  readonly sourceVersion: string;
  /** Absolute paths of its files and links, without folders. */
  readonly files: readonly string[];
};

/** Where the files are, and what they are from. */
export type SystemRoot = {
  readonly architecture: Architecture;
  readonly path: string;
  readonly packages: readonly DebianPackage[];
};

const projectDir = join(import.meta.dirname, "../..");

/**
 * The root of this architecture, made when it is not there. `say` is told what takes long.
 * Throws an Error in plain words when mmdebstrap is missing or fails.
 */
export function systemRoot(architecture: Architecture, say: (line: string) => void): SystemRoot {
  const list = readFileSync(join(projectDir, "rootfs/packages"), "utf8");
  const wanted = list.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const key = createHash("sha256").update(wanted.join("\n")).digest("hex").slice(0, 8);
  const folder = join(projectDir, ".cache/system", `${architecture}-${key}`);
  if (!existsSync(folder)) make(folder, wanted, architecture, say);
  const packages: DebianPackage[] = JSON.parse(readFileSync(join(folder, "packages.json"), "utf8"));
  return { architecture, path: join(folder, "root"), packages };
}

function make(
  folder: string,
  wanted: readonly string[],
  architecture: Architecture,
  say: (line: string) => void,
): void {
  const work = `${folder}.${process.pid}`;
  const root = join(work, "root");
  mkdirSync(work, { recursive: true });
  try {
    const kernel = newestKernel(architecture);
    say(
      `fetching ${wanted.length} Debian packages and what they need, and ${kernel} (${architecture}, once)`,
    );
    unpackPackages(root, [...wanted, kernel], architecture);
    const packages = describe(root);
    writeFileSync(join(work, "packages.json"), `${JSON.stringify(packages, undefined, 1)}\n`);
    rmSync(join(root, "var/cache/apt"), { recursive: true });
    // The package is made to be installed, so its list of dependencies is made by us.
    const release = kernel.replace("linux-image-", "");
    execFileSync("depmod", ["-b", root, release], {
      env: withSbin(),
      stdio: ["ignore", "ignore", "inherit"],
    });
    // Who was faster has made the same.
    if (!existsSync(folder)) renameSync(work, folder);
    say(`${packages.length} packages unpacked`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const withSbin = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`,
});

/**
 * Fetches the packages and what they depend on and lays their files below `root`, which is made; the archives stay in its
 * `var/cache/apt/archives`. Throws an Error with the words of mmdebstrap.
 */
export function unpackPackages(root: string, packages: readonly string[], architecture: Architecture): void {
  mkdirSync(root, { recursive: true });
  const { release, lines } = debianSources();
  const archive = `${root}.tar`;
  const options = [
    ...["--quiet", "--variant=extract", "--format=tar", "--skip=cleanup/apt/cache"],
    ...[`--architectures=${architecture}`, `--include=${packages.join(",")}`],
    ...aptOptions(),
  ];
  const isRoot = process.getuid?.() === 0;
  const command = ["mmdebstrap", ...options, release, archive, ...lines];
  const [file = "", ...args] = isRoot ? ["unshare", "--mount", ...command] : command;
  try {
    execFileSync(file, args, { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new Error(`mmdebstrap failed${isRoot ? "" : hintForUsers}:\n${complaint(error)}`);
  }
  // Device nodes and what only an installed system has stay out.
  const out = ["./dev", "./proc", "./sys", "./run", "./var/lib", "./etc/apt"].map(
    (path) => `--exclude=${path}/*`,
  );
  execFileSync("tar", ["-xf", archive, "-C", root, "--no-same-owner", ...out]);
  rmSync(archive);
}

const hintForUsers =
  " (who is not root needs user namespaces and the package uidmap, with a range for this user in /etc/subuid)";

function complaint(error: unknown): string {
  const { stderr, message } = error as { stderr?: Buffer; message?: string };
  return stderr?.toString().trim() || String(message);
}

const field = (name: string): string => `\${${name}}`;
const fields = ["Package", "Version", "source:Package", "source:Version"].map(field).join("|");

/** What the archives of the packages say about themselves. */
function describe(root: string): DebianPackage[] {
  const archives = globSync(join(root, "var/cache/apt/archives/*.deb")).sort();
  return archives.map((archive) => {
    const said = execFileSync("dpkg-deb", ["--show", `--showformat=${fields}`, archive], {
      encoding: "utf8",
    });
    const [name = "", version = "", source = "", sourceVersion = ""] = said.split("|");
    const listed = execFileSync("sh", ["-c", 'dpkg-deb --fsys-tarfile "$0" | tar -t', archive], {
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    const files = listed.split("\n").filter((path) => path !== "" && !path.endsWith("/"));
    return { name, version, source, sourceVersion, files: files.map((path) => path.slice(1)) };
  });
}

/** Which package a file of the root is from, by its path there, also where a folder is a link by now. */
export function packageFinder(root: SystemRoot): (path: string) => DebianPackage | undefined {
  const owners = new Map<string, DebianPackage>();
  for (const owner of root.packages) for (const file of owner.files) owners.set(withoutUsr(file), owner);
  return (path) => owners.get(withoutUsr(path));
}

// Packages of these releases still have files in /bin, /sbin and /lib.
const withoutUsr = (path: string): string => path.replace(/^\/usr\/(?=(bin|sbin|lib|lib64)\/)/, "/");

/** The root for guests of this machine's processor. */
export function ownSystemRoot(say: (line: string) => void): SystemRoot {
  return systemRoot(ownArchitecture(), say);
}
