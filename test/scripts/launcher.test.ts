import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";

const source = join(import.meta.dirname, "../../src/sys/native/launcher.c");

/** A launcher as the build makes it, in front of a Node that only tells what it was started with. */
function placed(t: Test): { dir: string; launcher: string } {
  const dir = t.testdir({ lib: { "kata-agent.cjs": "" } });
  const launcher = join(dir, "kata-agent");
  const environment = '-DENVIRONMENT={"KATA_ONE", "1"},{"KATA_TWO", "2"},';
  const defines = ['-DPROGRAM="kata-agent"', '-DNODE_FLAGS="--one","--two",', environment];
  execFileSync("gcc", ["-Os", "-static", ...defines, source, "-o", launcher]);
  writeFileSync(join(dir, "lib/node"), '#!/bin/sh\necho "$0" "$@"\n');
  chmodSync(join(dir, "lib/node"), 0o755);
  return { dir, launcher };
}

function run(
  file: string,
  args: readonly string[],
  cwd = "/",
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, encoding: "utf8" });
  return { status, out: stdout.trim(), err: stderr.trim() };
}

test("it becomes Node with its flags, the bundle and the arguments", async (t) => {
  const { dir, launcher } = placed(t);
  const expected = `${dir}/lib/node --one --two ${dir}/lib/kata-agent.cjs --config a b`;
  const args = ["--config", "a b"];
  t.equal(run(launcher, args).out, expected, "by its path");
  t.equal(run("./kata-agent", args, dir).out, expected, "by a relative path");
  execFileSync("strip", [launcher]);
  t.equal(run(launcher, args).out, expected, "stripped");
  mkdirSync(join(dir, "sbin"));
  symlinkSync("../kata-agent", join(dir, "sbin/init"));
  t.equal(run(join(dir, "sbin/init"), args).out, expected, "by a link of another name");
});

test("Node gets the program's environment where it has none of that name", async (t) => {
  const { dir, launcher } = placed(t);
  writeFileSync(join(dir, "lib/node"), '#!/bin/sh\necho "$KATA_ONE $KATA_TWO"\n');
  const { PATH } = process.env;
  const env = { PATH, KATA_TWO: "mine" };
  t.equal(spawnSync(launcher, [], { env, encoding: "utf8" }).stdout, "1 mine\n");
});

test("an installation works wherever it lies", async (t) => {
  const { dir, launcher } = placed(t);
  mkdirSync(join(dir, "opt/bin"), { recursive: true });
  mkdirSync(join(dir, "opt/lib"));
  renameSync(join(dir, "lib"), join(dir, "opt/lib/kata-agent-node"));
  renameSync(launcher, join(dir, "opt/bin/kata-agent"));
  symlinkSync("opt/bin/kata-agent", join(dir, "linked"));
  const { out } = run(join(dir, "linked"), ["x"]);
  const lib = `${dir}/opt/bin/../lib/kata-agent-node`;
  t.equal(out, `${lib}/node --one --two ${lib}/kata-agent.cjs x`);
});

test("it finds its folder where no /proc is, as PID 1 does", async (t) => {
  const { dir, launcher } = placed(t);
  const hide = `mount -t tmpfs tmpfs /proc && exec "${launcher}" x`;
  const { out } = run("unshare", ["--map-root-user", "--mount", "sh", "-c", hide]);
  t.equal(out, `${dir}/lib/node --one --two ${dir}/lib/kata-agent.cjs x`);
});

test("it says what is missing and where it looked", async (t) => {
  const { dir, launcher } = placed(t);
  rmSync(join(dir, "lib/kata-agent.cjs"));
  const moved = run(launcher, []);
  t.equal(moved.status, 127);
  t.match(moved.err, /^kata-agent: .*\/usr\/lib\/kata-agent-node.* holds node and kata-agent\.cjs$/);
  copyFileSync(launcher, join(dir, "alone"));
  t.equal(run(join(dir, "alone"), []).status, 127);
});

test("it says when Node cannot be executed", async (t) => {
  const { dir, launcher } = placed(t);
  writeFileSync(join(dir, "lib/node"), "#!/no/such/loader\n");
  const { status, err } = run(launcher, []);
  t.equal(status, 126);
  t.match(
    err,
    /cannot execute .*\/lib\/node: No such file or directory \(is its dynamic loader in this image\?\)/,
  );
});
