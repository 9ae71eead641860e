import { constants, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { raiseDescriptorLimit } from "../../src/sys/descriptor-limit.ts";
import { loadModule } from "../../src/sys/load-module.ts";
import { openWithin, Resolve } from "../../src/sys/open-within.ts";
import { closeFd } from "../../src/sys/pipe.ts";
import { syncDisks } from "../../src/sys/power.ts";
import { setProcessName } from "../../src/sys/process-name.ts";

test("the kernel keeps 15 bytes of a process name", (t) => {
  const before = readFileSync("/proc/self/comm", "utf8").trim();
  setProcessName("a-name-that-is-too-long");
  t.equal(readFileSync("/proc/self/comm", "utf8"), "a-name-that-is-\n");
  setProcessName(before);
  t.end();
});

test("the limit of descriptors is raised as far as allowed, never lowered", (t) => {
  const soft = () => Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  const before = soft();
  t.equal(raiseDescriptorLimit(16), before);
  const reached = raiseDescriptorLimit(before + 1);
  t.equal(soft(), reached);
  t.ok(reached === before || reached === before + 1);
  t.end();
});

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
  t.equal(readFileSync(join(folder, "new"), "utf8"), "");
});

test("a module that is none, or not there, is refused", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "module-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  await t.rejects(loadModule(join(folder, "missing.ko")), { code: "ENOENT" });
  const file = join(folder, "empty.ko");
  writeFileSync(file, "no module");
  await t.rejects(loadModule(file), { code: /ENOEXEC|EPERM|ENOSYS/, syscall: "finit_module" });
});

test("a sync comes back", async (t) => {
  await syncDisks();
  t.pass("it did");
});
