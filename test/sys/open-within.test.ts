import {
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { openWithin, Resolve } from "../../src/sys/open-within.ts";
import { closeFd } from "../../src/sys/pipe.ts";

test("a path is opened within a folder, or not at all", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "within-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "file"), "inside");
  symlinkSync("/file", join(folder, "absolute"));
  symlinkSync("../..", join(folder, "up"));
  const directory = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  t.teardown(() => closeFd(directory));
  const open = (path: string, resolve: number) =>
    openWithin(directory, path, { flags: constants.O_RDONLY, resolve });
  const fd = await open("absolute", Resolve.inRoot);
  t.equal(readFileSync(fd, "utf8"), "inside", "an absolute link starts at the folder");
  closeFd(fd);
  await t.rejects(open("absolute", Resolve.beneath), { code: "EXDEV", syscall: "openat2" });
  await t.rejects(open("up/etc", Resolve.beneath), { code: "EXDEV" });
  await t.rejects(open("up", Resolve.noSymlinks), { code: "ELOOP" });
  await t.rejects(open("missing", Resolve.beneath), { code: "ENOENT" });
});

test("a new file has the mode that was asked for", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "within-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const directory = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  t.teardown(() => closeFd(directory));
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  const options = { flags: O_CREAT | O_EXCL | O_WRONLY, mode: 0o600, resolve: Resolve.inRoot };
  closeFd(await openWithin(directory, "../../new", options));
  t.equal(statSync(join(folder, "new")).mode & 0o777, 0o600);
});
