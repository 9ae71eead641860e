/**
 * Kata's image_builder.sh in a guest under QEMU. It writes through loop devices, which a machine has in common with all its
 * containers, so it gets a machine of its own: Debian with the tools it calls on a first disk, and a second one, empty, for
 * the images. Both disks are files that are written and read without being mounted.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { bootGuest } from "../boot-guest.ts";
import { ownArchitecture } from "../image/architecture.ts";
import { guestFiles } from "../vm-requirements.ts";
import { debianRoot } from "./debian-root.ts";
import { layModules } from "./kernel-modules.ts";

/** What image_builder.sh calls; gcc compiles its tool for the header of NVDIMM. */
const tools = [
  "parted",
  "qemu-utils",
  "e2fsprogs",
  "erofs-utils",
  "gcc",
  "libc6-dev",
  "kmod",
  "mount",
  "fdisk",
];

/** An emulated processor compresses for minutes. */
const timeoutMs = 3 * 3600_000;

type Making = {
  /** tools/osbuilder of a checkout of Kata Containers. */
  readonly osbuilder: string;
  /** Roots that rootfs.sh made, in folders such as `debian-yes`: distribution and AGENT_INIT. */
  readonly roots: readonly string[];
  /** Where the images go, and `images.log`, which is written as the guest works. */
  readonly out: string;
  readonly say: (line: string) => void;
};

/**
 * Makes images: `<root>.img`, ext4 with the header of NVDIMM; of Debian's roots also `<root>-erofs.img`, with the header
 * too, and `<root>-plain.img`, ext4 without it. Returns their paths. Throws an Error that names the log when one fails.
 */
export async function makeOsbuilderImages({ osbuilder, roots, out, say }: Making): Promise<string[]> {
  const work = mkdtempSync(join(out, ".work-"));
  const [system, empty, log] = [join(work, "system"), join(work, "empty"), join(out, "images.log")];
  try {
    makeSystem(system, { osbuilder, roots, say });
    makeDisk(empty, join(work, "nothing"), 16_384);
    say(`image_builder.sh for ${roots.length} roots, in a guest; images.log tells how far it is`);
    await build([system, empty], log);
    const names = roots.flatMap((root) => imagesOf(basename(root)));
    for (const name of names)
      execFileSync("debugfs", ["-R", `dump /${name} ${join(out, name)}`, empty], { stdio: "pipe" });
    return names.map((name) => join(out, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const imagesOf = (root: string): string[] =>
  ["", ...(root.startsWith("debian") ? ["-erofs", "-plain"] : [])].map((kind) => `${root}${kind}.img`);

/** The first disk: tools, osbuilder and the roots. */
function makeSystem(disk: string, { osbuilder, roots, say }: Omit<Making, "out">): void {
  const tree = `${disk}-tree`;
  mkdirSync(join(tree, "roots"), { recursive: true });
  execFileSync("tar", ["-xpf", debianRoot(tools, say), "-C", tree]);
  layModules(tree, say);
  mkdirSync(join(tree, "out"));
  execFileSync("cp", ["-a", osbuilder, join(tree, "osbuilder")]);
  // Links to the same files: nothing is written to them.
  execFileSync("cp", ["-al", ...roots, join(tree, "roots")]);
  copyFileSync(join(import.meta.dirname, "osbuilder-images.sh"), join(tree, "init"));
  const used = Number(execFileSync("du", ["-sm", tree], { encoding: "utf8" }).split("\t")[0]);
  say(`a disk of ${used} MB for the guest`);
  makeDisk(disk, tree, Math.ceil(used * 1.3) + 512);
  rmSync(tree, { recursive: true });
}

function makeDisk(disk: string, folder: string, megabytes: number): void {
  mkdirSync(folder, { recursive: true });
  execFileSync("mkfs.ext4", ["-q", "-F", "-m", "0", "-d", folder, disk, `${megabytes}M`], { stdio: "pipe" });
}

async function build(disks: readonly string[], log: string): Promise<void> {
  const drives = disks.flatMap((file, index) => [
    ...["-drive", `if=none,id=d${index},file=${file},format=raw,cache=unsafe`],
    ...["-device", `virtio-blk-pci,drive=d${index}`],
  ]);
  const initrd = join(guestFiles(ownArchitecture()).kernel, "../boot.cpio");
  await using guest = await bootGuest({
    initrd,
    memoryMb: 2048,
    append: "root=/dev/vda rootfstype=ext4 rw init=/init",
    options: [...drives, "-serial", `file:${log}`],
  });
  const [, how] = await guest.seen(/images: (made|failed)/, timeoutMs);
  await guest.exited;
  if (how !== "made") throw new Error(`image_builder.sh failed, see ${log}`);
}
