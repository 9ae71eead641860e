import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

/** Config maps that are watched from within a container (agent-api 7). */

const root = "/run/kata-containers/shared/containers/watchable";
const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
await calls.CreateSandbox({ sandbox_id: "watched" });
mkdirSync(agent.path(root), { recursive: true });
const base = agent.traces();
/** Busybox of Debian has no inotifyd. */
const watcher = join(import.meta.dirname, "../fakes/watch-directory.c");
execFileSync("gcc", ["-static", "-Os", watcher, "-o", join(agent.root, "bin/watch-directory")]);

function publish(source: string, version: string, text: string): void {
  mkdirSync(join(source, version));
  writeFileSync(join(source, version, "key"), text);
  symlinkSync(version, join(source, "..data_tmp"));
  renameSync(join(source, "..data_tmp"), join(source, "..data"));
}

async function create(name: string, source: string, args: readonly string[], destination = "/config") {
  const container_id = agent.id(name);
  const mount_point = `${root}/${container_id}`;
  const OCI = specOf(agent.root, { args });
  const mount = { destination, source: mount_point, type: "bind", options: ["rbind", "ro"] };
  const call = calls.CreateContainer({
    container_id,
    exec_id: container_id,
    OCI: { ...OCI, Mounts: [...(OCI.Mounts ?? []), mount] },
    storages: [{ driver: "watchable-bind", source, mount_point, fstype: "bind", options: ["rbind", "ro"] }],
  });
  return { container_id, mount_point, call };
}

test("inotify in a container tells of a config map that kubelet has changed", needsRoot, async (t) => {
  const source = join(agent.folder, "config");
  mkdirSync(source);
  publish(source, "..1", "old\n");
  symlinkSync("..data/key", join(source, "key"));
  const { container_id, mount_point, call } = await create("inotify", source, ["watch-directory", "/config"]);
  await call;
  t.equal(
    readFileSync(`${agent.path(mount_point)}/key`, "utf8"),
    "old\n",
    "copied before the create answers",
  );
  await calls.StartContainer({ container_id });
  t.equal(await agent.readText(container_id, 6), "ready\n");
  await agent.exec(container_id, "look", { args: ["cat", "/config/key"] });
  t.equal(`${await agent.readAll(container_id, "look")}`, "old\n");
  publish(source, "..2", "new\n");
  rmSync(join(source, "..1"), { recursive: true });
  let told = "";
  while (!told.includes("D ..1")) {
    const { data } = await calls.ReadStdout({ container_id, exec_id: "", len: 1000 }, { timeoutMs: 120_000 });
    if (data.length === 0) break;
    told += Buffer.from(data).toString();
  }
  t.same(told.trim().split("\n"), ["C ..2", "M ..data", "D ..1"]);
  await agent.exec(container_id, "again", { args: ["cat", "/config/key"] });
  t.equal(`${await agent.readAll(container_id, "again")}`, "new\n");
  await agent.remove(container_id);
  t.same(agent.traces().mounts, base.mounts);
  t.same(readdirSync(agent.path(root)), []);
});

test("a source that is too much to be watched is bound instead", needsRoot, async (t) => {
  const many = join(agent.folder, "many");
  mkdirSync(many);
  for (let n = 0; n < 16; n++) writeFileSync(join(many, `f${n}`), `${n}`);
  const large = join(agent.folder, "large");
  writeFileSync(large, Buffer.alloc(1024 * 1024 + 1, "x"));
  const first = await create("many", many, ["sh", "-c", "ls /config | wc -l"]);
  const second = await create("large", large, ["sh", "-c", "wc -c </config-file"], "/config-file");
  await Promise.all([first.call, second.call]);
  for (const [{ container_id }, text] of [
    [first, "16\n"],
    [second, "1048577\n"],
  ] as const) {
    await calls.StartContainer({ container_id });
    t.equal(`${await agent.readAll(container_id)}`, text);
    await agent.remove(container_id);
  }
  t.same(agent.traces().mounts, base.mounts);
  t.equal(readdirSync(many).length, 16, "the source is as it was");
});

const needsFuse = { skip: existsSync("/dev/fuse") ? needsRoot.skip : "no /dev/fuse here" };

// agent-api 10.2
test("a share that is dead holds up nobody but who asks for it", needsFuse, async (t) => {
  const before = agent.traces();
  const dead = join(agent.folder, "dead");
  mkdirSync(dead);
  // A FUSE server that never answers.
  const server = openSync("/dev/fuse", "r+");
  const inside = (...command: string[]) =>
    execFileSync("nsenter", ["--target", `${agent.pid}`, "--mount", "--pid", ...command], {
      stdio: ["ignore", "ignore", "inherit", server],
    });
  inside("mount", "-i", "-t", "fuse", "-o", "fd=3,rootmode=40000,user_id=0,group_id=0", "none", dead);
  try {
    const source = join(agent.folder, "alive");
    mkdirSync(source);
    const alive = await create("alive", source, ["sleep", "1000"]);
    await alive.call;
    // More than there are threads to wait with.
    const names = Array.from({ length: 12 }, (_, n) => `dead-${n}`);
    const creates = names.map((name) => {
      const storages = [
        { driver: "watchable-bind", source: join(dead, name), mount_point: `${root}/${name}` },
      ];
      const wanted = { container_id: agent.id(name), OCI: specOf(agent.root, { args: ["true"] }), storages };
      return refusal(calls.CreateContainer(wanted, { timeoutMs: 500 }));
    });
    for (const { code } of await Promise.all(creates)) t.equal(code, Code.deadlineExceeded);
    await agent.remove(await agent.run("other", { args: ["cat"] }));
    t.ok(existsSync(agent.path(alive.mount_point)));
    await agent.remove(alive.container_id);
    t.notOk(existsSync(agent.path(alive.mount_point)), "its watch has ended, too");
  } finally {
    closeSync(server);
  }
  inside("umount", "-i", "-l", dead);
  t.ok(await eventually(() => agent.traces().mounts.length === before.mounts.length));
  t.ok(await eventually(() => agent.traces().files.length === before.files.length));
});

test("mount points elsewhere and missing sources are refused, and nothing is left", needsRoot, async (t) => {
  const before = agent.traces();
  const source = join(agent.folder, "refused");
  mkdirSync(source);
  const add = (mount_point: string, from: string) =>
    refusal(
      calls.CreateContainer({
        container_id: agent.id("refused"),
        OCI: specOf(agent.root, { args: ["true"] }),
        storages: [{ driver: "watchable-bind", source: from, mount_point }],
      }),
    );
  t.equal((await add("/etc/x", source)).code, Code.internal);
  t.equal((await add(`${root}/../x`, source)).code, Code.internal);
  t.match(await add(`${root}/x`, join(source, "missing")), { code: Code.internal, message: /ENOENT/ });
  t.match(await add(`/run/user/1000${root}/x`, source), { code: Code.internal, message: /ENOENT/ });
  rmSync(agent.path(root), { recursive: true });
  symlinkSync("/etc", agent.path(root));
  t.match(await add(`${root}/x`, source), { code: Code.internal, message: /link/ });
  t.ok(existsSync(agent.path("/etc/passwd")), "no tmpfs was mounted through the link");
  t.same(agent.traces().mounts, base.mounts);
  t.same(agent.traces().files, before.files);
});
