import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import type { CpioEntry } from "../../../scripts/image/cpio.ts";
import { makeDiskImage } from "../../../scripts/image/disk-image.ts";
import { type FileSystem, makeFileSystem } from "../../../scripts/image/file-system.ts";
import { layDown } from "../../../scripts/image/stage.ts";

const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
const env = { ...process.env, PATH: path };
const isMissing = (tool: string): boolean =>
  !path.split(":").some((folder) => existsSync(join(folder, tool)));
const missing = ["mkfs.ext4", "debugfs", "mkfs.erofs", "fsck.erofs", "sfdisk"].find(isMissing);
const skip = missing === undefined ? false : `${missing} is missing`;

const timeS = 1_700_000_000;
const entries: readonly CpioEntry[] = [
  { kind: "dir", path: "/bin", mode: 0o755 },
  { kind: "dir", path: "/tmp", mode: 0o1777 },
  { kind: "dir", path: "/dev", mode: 0o755 },
  { kind: "node", path: "/dev/console", mode: 0o600, major: 5, minor: 1 },
  { kind: "link", path: "/init", mode: 0o777, target: "bin/tool" },
  { kind: "file", path: "/bin/tool", mode: 0o755, data: Buffer.alloc(300_000, "tool") },
  { kind: "file", path: "/bin/secret", mode: 0o600, data: Buffer.from("s") },
];

function make(dir: string, name: string, kind: FileSystem, order = entries): string {
  const [folder, file] = [join(dir, `${name}-root`), join(dir, `${name}.fs`)];
  layDown(folder, order, timeS);
  // As another user's copy of the same would be: read at another time.
  utimesSync(join(folder, "bin/tool"), name.length * 1_000, timeS);
  makeFileSystem(kind, file, { folder, entries: order, timeS });
  return file;
}

const debugfs = (file: string, command: string): string =>
  execFileSync("debugfs", ["-R", command, file], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });

test("ext4 holds the entries as they were listed, owned by root, with one time", { skip }, async (t) => {
  const file = make(t.testdir(), "one", "ext4");
  execFileSync("e2fsck", ["-f", "-n", file], { env, stdio: "pipe" });
  const secret = debugfs(file, "stat /bin/secret");
  t.match(secret, /Mode:\s+0600/);
  t.match(secret, /User:\s+0\s+Group:\s+0/);
  t.equal(secret.match(new RegExp(`time: 0x${timeS.toString(16)}:00000000`, "g"))?.length, 4, secret);
  t.match(debugfs(file, "stat /init"), /Fast link dest: "bin\/tool"/);
  t.match(debugfs(file, "stat /tmp"), /Mode:\s+01777/);
  t.equal(debugfs(file, "cat /bin/tool").length, 300_000);
  t.notMatch(debugfs(file, "ls /dev"), /console/, "devices are the kernel's");
  t.match(debugfs(file, "features"), /has_journal/, "the runtimes mount with data=ordered");
});

test("erofs holds the entries as they were listed", { skip }, async (t) => {
  const dir = t.testdir();
  const file = make(dir, "one", "erofs");
  const out = join(dir, "out");
  execFileSync("fsck.erofs", [`--extract=${out}`, file], { env, stdio: "pipe" });
  t.equal(readFileSync(join(out, "bin/tool"), "utf8"), "tool".repeat(75_000));
  t.equal(statSync(join(out, "bin/secret")).mode & 0o7777, 0o600);
  t.ok(statSync(file).size < 100_000, "compressed");
});

const hashOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

for (const kind of ["ext4", "erofs"] as const) {
  test(`${kind} twice is the same bytes, whatever the order and the time`, { skip }, async (t) => {
    const dir = t.testdir();
    const [first, second] = [make(dir, "1", kind), make(dir, "second", kind, [...entries].reverse())];
    t.equal(hashOf(first), hashOf(second));
    const images = [first, second].map((file) => {
      makeDiskImage(`${file}.img`, file, { dax: true });
      return hashOf(`${file}.img`);
    });
    t.equal(images[0], images[1]);
  });
}

/** Bytes of a file, without reading all of it. */
function bytesAt(file: string, at: number, length: number): Buffer {
  const fd = openSync(file, "r");
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, at);
  closeSync(fd);
  return bytes;
}

const mebibyte = 1 << 20;
/** Partition 1 of the table at `at`: its start in bytes from there, and what lies behind it in the file. */
function partitionOf(file: string, at: number): object {
  const table = bytesAt(file, at, 512);
  const [start = 0, length = 0] = [8, 12].map((field) => table.readUInt32LE(0x1be + field) * 512);
  return {
    magic: table.toString("hex", 510),
    type: table[0x1be + 4],
    start,
    behind: statSync(file).size - at - start - length,
  };
}
// The partition goes to the end, as in images of Kata's builder.
const linuxAt = (start: number): object => ({ magic: "55aa", type: 0x83, start, behind: 0 });

test("a plain image has its file system in partition 1 at 1 MiB", { skip }, async (t) => {
  const file = make(t.testdir(), "one", "ext4");
  const bytes = makeDiskImage(`${file}.img`, file, { dax: false });
  t.same(partitionOf(`${file}.img`, 0), linuxAt(mebibyte));
  t.ok(bytesAt(`${file}.img`, mebibyte, statSync(file).size).equals(readFileSync(file)));
  t.equal(bytes % mebibyte, 0);
  t.match(execFileSync("sfdisk", ["--verify", `${file}.img`], { env, encoding: "utf8" }), /No errors/);
});

test("with the header, what begins at 2 MiB is the whole disk, and the front leads to it too", {
  skip,
}, async (t) => {
  const file = make(t.testdir(), "one", "erofs");
  const image = `${file}.img`;
  t.equal(makeDiskImage(image, file, { dax: true }) % (128 * mebibyte), 0, "as the host maps it");
  t.same(partitionOf(image, 0), linuxAt(3 * mebibyte));
  t.same(partitionOf(image, 2 * mebibyte), linuxAt(mebibyte));
  t.equal(bytesAt(image, 4096, 15).toString(), "NVDIMM_PFN_INFO");
  t.ok(bytesAt(image, 3 * mebibyte, statSync(file).size).equals(readFileSync(file)));
  t.ok(statSync(image).blocks * 512 < 8 * mebibyte, "what is empty takes no space");
});
