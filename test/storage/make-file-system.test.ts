import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { ensureExt4 } from "../../src/storage/make-file-system.ts";

const mebibyte = 1024 * 1024;
const env = { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" };

function missing(): string | false {
  for (const tool of ["mkfs.ext4", "blkid", "mkswap", "dumpe2fs"]) {
    try {
      execFileSync("/bin/sh", ["-c", `command -v ${tool}`], { env, stdio: "ignore" });
    } catch {
      return `${tool} is not on this machine`;
    }
  }
  return false;
}
const needed = { skip: missing() };

/** A file in the place of a disk. */
function disk(t: Test): { path: string; sum: () => string } {
  const dir = mkdtempSync(join(tmpdir(), "disk-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const path = join(dir, "disk");
  writeFileSync(path, "");
  truncateSync(path, 16 * mebibyte);
  return { path, sum: () => createHash("sha256").update(readFileSync(path)).digest("hex") };
}

test("an empty disk gets an ext4 without a journal, once (4.2, create_filesystem)", needed, async (t) => {
  const { path, sum } = disk(t);
  await ensureExt4(path);
  const about = execFileSync("dumpe2fs", ["-h", path], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.match(about, /Filesystem state:\s+clean/);
  t.notMatch(about, /has_journal/);
  t.match(about, /Reserved block count:\s+0/);
  const made = sum();
  await ensureExt4(path);
  t.equal(sum(), made, "what was made before is taken as it is");
});

test("a disk that holds anything is refused and not touched", needed, async (t) => {
  const fill: [string, (path: string) => void, RegExp][] = [
    ["swap", (path) => execFileSync("mkswap", [path], { env, stdio: "ignore" }), /holds swap/],
    [
      "a partition table",
      (path) => {
        const sector = new Uint8Array(512);
        sector.set([0x80, 0, 2, 0, 0x83, 0, 3, 0, 1, 0, 0, 0, 0xff, 0x0f], 446);
        sector.set([0x55, 0xaa], 510);
        writeFileSync(path, sector, { flag: "r+" });
      },
      /not empty: it holds/,
    ],
    ["text", (path) => writeFileSync(path, "dear diary", { flag: "r+" }), /without a known file system/],
    [
      "a byte at the end of the head",
      (path) => {
        const head = new Uint8Array(mebibyte);
        head[mebibyte - 1] = 1;
        writeFileSync(path, head, { flag: "r+" });
      },
      /without a known file system/,
    ],
  ];
  for (const [what, write, message] of fill) {
    const { path, sum } = disk(t);
    write(path);
    const before = sum();
    await t.rejects(ensureExt4(path), { code: Code.internal, message }, what);
    t.equal(sum(), before, what);
  }
});

test("a caller that has gone has nothing made", needed, async (t) => {
  const { path, sum } = disk(t);
  const before = sum();
  await t.rejects(ensureExt4(path, AbortSignal.abort(new Error("went away"))), { message: /went away/ });
  t.equal(sum(), before);
});
