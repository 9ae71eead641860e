// Makes the root of a fresh Debian or Ubuntu, as small as one can be that installs our package, for the tests:
// .cache/clean-root/<release>.tar. Made once.
//
//   node scripts/package/clean-root.ts [--optional]    optional: what is wrong is only told
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import { aptOptions } from "../image/apt-options.ts";
import { debianSources } from "../image/debian-sources.ts";
import { cleanRoot, cleanRootFolder } from "./clean-root-file.ts";

/** What the package depends on beside the essential packages, so that dpkg alone can install it. */
const depends = ["libstdc++6", "libgcc-s1", "libatomic1"];

function make(): void {
  const { release, lines } = debianSources();
  mkdirSync(cleanRootFolder, { recursive: true });
  const [file, fresh] = [`${cleanRootFolder}/${release}.tar`, `${cleanRootFolder}/${process.pid}.tar`];
  const options = ["--quiet", "--variant=essential", `--include=${depends.join(",")}`, ...aptOptions()];
  // In a mount namespace of its own: what it mounts while it installs does not reach the machine.
  execFileSync("unshare", ["--mount", "mmdebstrap", ...options, release, fresh, ...lines], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  renameSync(fresh, file);
}

try {
  if (cleanRoot() === undefined) {
    process.stdout.write("a clean root is made, to install the package in (once)\n");
    make();
  }
} catch (error) {
  const { stderr, message } = error as { stderr?: Buffer; message: string };
  process.stdout.write(`no clean root: ${stderr?.toString().trim() || message}\n`);
  if (process.argv[2] !== "--optional") process.exitCode = 1;
}
