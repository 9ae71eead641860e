import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { readWithin } from "../../src/sys/read-within.ts";

test("a file is read as somebody sees it whose root is the folder", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "read-within-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const root = join(folder, "root");
  mkdirSync(join(root, "etc"), { recursive: true });
  writeFileSync(join(folder, "secret"), "outside");
  writeFileSync(join(root, "etc/file"), "inside");
  symlinkSync("/etc/file", join(root, "absolute"));
  symlinkSync("../../secret", join(root, "etc/up"));
  symlinkSync("/etc/loop", join(root, "etc/loop"));
  const read = async (path: string, most = 100) => Buffer.from(await readWithin(root, path, most)).toString();
  t.equal(await read("/absolute"), "inside");
  t.equal(await read("/etc/file", 2), "in");
  await t.rejects(read("/etc/up"), { code: "ENOENT" });
  await t.rejects(read("/etc/loop"), { code: "ELOOP" });
  await t.rejects(read("/etc"), { code: "EINVAL" });
});
