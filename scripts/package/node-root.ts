// Makes the disk of a node for test/vm/node.test.ts: a Debian or Ubuntu with systemd and apt that takes commands at a port
// of QEMU's: .cache/node-root/<kernel>-<hash>.ext4. Made once, as root, without mounting anything.
//
//   node scripts/package/node-root.ts [--optional]    optional: what is wrong is only told
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { aptOptions } from "../image/apt-options.ts";
import { debianSources } from "../image/debian-sources.ts";
import { type GuestKernel, guestKernel } from "../image/guest-kernel.ts";
import { ownSystemRoot } from "../image/system-root.ts";
import { nodeFiles, nodePackages, nodeRoot, nodeRootFile } from "./node-root-file.ts";

/** Twice our package and what it writes find room; what is not used takes none of the machine's disk. */
const size = "1200M";
/** Of no use there, and much of it. */
const notNeeded =
  "{etc/resolv.conf,usr/share/{doc,locale,info}/*,var/cache/apt/**/*.{deb,bin},var/lib/apt/lists/*}";

function make(kernel: GuestKernel): void {
  const work = mkdtempSync(join(tmpdir(), "kata-node-root-"));
  try {
    const root = join(work, "root");
    mkdirSync(root);
    bootstrap(root, join(work, "root.tar"));
    for (const path of globSync(notNeeded, { cwd: root })) rmSync(join(root, path), { recursive: true });
    furnish(root, kernel);
    const [file, fresh] = [nodeRootFile(kernel), join(work, "disk")];
    mkdirSync(dirname(file), { recursive: true });
    for (const old of globSync(join(dirname(file), "*.ext4"))) rmSync(old);
    const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
    const options = ["-q", "-F", "-m", "0", "-E", "root_owner=0:0", "-d", root, fresh, size];
    execFileSync("mkfs.ext4", options, { env, stdio: ["ignore", "ignore", "pipe"] });
    // Not by a rename: /tmp may be another file system. cp keeps the holes.
    execFileSync("cp", ["--sparse=always", fresh, `${file}.${process.pid}`]);
    renameSync(`${file}.${process.pid}`, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function bootstrap(root: string, archive: string): void {
  const { release, lines } = debianSources();
  const options = ["--quiet", "--variant=apt", `--include=${nodePackages.join(",")}`, ...aptOptions()];
  // In a mount namespace of its own: what it mounts while it installs does not reach the machine.
  execFileSync("unshare", ["--mount", "nice", "mmdebstrap", ...options, release, archive, ...lines], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  execFileSync("tar", ["-xf", archive, "-C", root, "--exclude=./dev/*"]);
  rmSync(archive);
}

function furnish(root: string, kernel: GuestKernel): void {
  cpSync(kernel.modulesDir, join(root, "lib/modules", kernel.release), { recursive: true });
  for (const [path, mode, text] of nodeFiles) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  }
  const wanted = join(root, "etc/systemd/system/multi-user.target.wants");
  mkdirSync(wanted, { recursive: true });
  symlinkSync("../shell.service", join(wanted, "shell.service"));
}

try {
  const kernel = guestKernel(ownSystemRoot(() => undefined).path);
  if (nodeRoot(kernel) === undefined) {
    process.stdout.write("the disk of a node is made, to install the package on (once, about a minute)\n");
    make(kernel);
  }
} catch (error) {
  const { stderr, message } = error as { stderr?: Buffer; message: string };
  process.stdout.write(`no disk of a node: ${stderr?.toString().trim() || message}\n`);
  if (process.argv[2] !== "--optional") process.exitCode = 1;
}
