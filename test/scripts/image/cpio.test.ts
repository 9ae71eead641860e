import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { type CpioEntry, writeCpio } from "../../../scripts/image/cpio.ts";
import { withFolders } from "../../../scripts/image/guest-tree.ts";

const entries: readonly CpioEntry[] = [
  { kind: "file", path: "/etc/odd", mode: 0o640, data: Buffer.from("five!") },
  { kind: "link", path: "/init", mode: 0o777, target: "usr/sbin/init" },
  { kind: "node", path: "/dev/console", mode: 0o600, major: 5, minor: 1 },
  { kind: "dir", path: "/tmp", mode: 0o1777 },
  { kind: "file", path: "/empty", mode: 0o644, data: Buffer.alloc(0) },
];

test("a foreign cpio reads what ours wrote, folders before what is in them", async (t) => {
  const file = join(t.testdir(), "a.cpio");
  writeCpio(file, withFolders(entries));
  const listed = execFileSync("cpio", ["-tvn", "--quiet"], { input: readFileSync(file), encoding: "utf8" });
  const lines = listed
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+/g, " "));
  t.match(lines, [
    /^drwxr-xr-x 2 0 0 0 .* dev$/,
    /^crw------- 1 0 0 5, 1 .* dev\/console$/,
    /^-rw-r--r-- 1 0 0 0 .* empty$/,
    /^drwxr-xr-x 2 0 0 0 .* etc$/,
    /^-rw-r----- 1 0 0 5 .* etc\/odd$/,
    /^lrwxrwxrwx 1 0 0 13 .* init -> usr\/sbin\/init$/,
    /^drwxrwxrwt 2 0 0 0 .* tmp$/,
  ]);
  t.equal(lines.length, 7);
});

test("the same tree gives the same bytes, whatever its order", async (t) => {
  const dir = t.testdir();
  const [first, second] = [join(dir, "1.cpio"), join(dir, "2.cpio")];
  const bytes = writeCpio(first, entries);
  writeCpio(second, [...entries].reverse());
  t.ok(readFileSync(first).equals(readFileSync(second)));
  t.equal(statSync(first).size, bytes);
  t.equal(bytes % 512, 0, "another archive may follow");
});
