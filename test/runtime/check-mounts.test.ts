import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { checkMounts } from "../../src/runtime/check-mounts.ts";
import type { OciMount } from "../../src/runtime/oci.ts";

const bind = (destination: string): OciMount => ({ destination, type: "bind", source: "/tmp" });

// agent-api 3.3.11 step 2
test("a mount counts as being where its destination leads", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "check-mounts-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const name of ["proc", "sys", "etc", "a/b"]) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "etc/file"), "");
  symlinkSync("/proc", join(root, "to-proc"));
  symlinkSync("../../proc/sys", join(root, "a/b/to-sys"));
  symlinkSync("/a", join(root, "to-a"));
  const refused = (mounts: OciMount[], message: RegExp) =>
    t.rejects(checkMounts(root, mounts), { code: Code.internal, message }, JSON.stringify(mounts));
  for (const path of ["/proc", "//proc/", "/to-proc", "/a/../proc", "/missing/../proc", "/a/b/../../to-proc"])
    await refused([bind("/etc"), bind(path)], /must be a proc file system/);
  for (const path of ["/proc/sys", "/proc/missing", "/a/b/to-sys", "/to-proc/1", "/to-a/b/to-sys/x"])
    await refused([bind(path)], /below .proc/);
  for (const type of ["proc", "sysfs"]) {
    for (const path of ["/etc/file", "/to-proc", "/a/../etc/file", "/to-a/b/to-sys"])
      await refused([{ destination: path, type, source: type }], /on a directory|below .proc|must be a proc/);
  }
  await refused([bind(`/${"x".repeat(300)}`)], /ENAMETOOLONG/);
  await checkMounts(root, []);
  await checkMounts(root, [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/sys", type: "sysfs", source: "sysfs" },
    { destination: "/not/there", type: "sysfs", source: "sysfs" },
    ...["/proc/meminfo", "/to-proc/net/dev", "/a/b", "/to-a/b", "/etc/file", "/new/file", "/process"].map(
      bind,
    ),
  ]);
});

test("an image's /dev, and what crun opens in it, are no links", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "check-mounts-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  const own: OciMount = { destination: "/dev/.", type: "tmpfs", source: "tmpfs" };
  const refused = (mounts: OciMount[], message: RegExp) =>
    t.rejects(checkMounts(root, mounts), { code: Code.internal, message }, String(message));
  mkdirSync(join(root, "dev"));
  for (const name of ["console", "null"]) {
    const link = join(root, "dev", name);
    symlinkSync("/etc/made", link);
    await refused([], new RegExp(`/dev/${name} of the image must not be a link`));
    await checkMounts(root, [bind("/etc"), own]);
    rmSync(link);
  }
  await checkMounts(root, []);
  rmSync(join(root, "dev"), { recursive: true });
  await checkMounts(root, [own]);
  for (const target of ["/etc", "missing", "/dev"]) {
    symlinkSync(target, join(root, "dev"));
    await refused([own], /dev of the image must not be a link|too many links/);
    await refused([], /dev of the image must not be a link|too many links/);
    rmSync(join(root, "dev"));
  }
});
