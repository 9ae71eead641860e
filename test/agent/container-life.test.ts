import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
/** Where the agent has crun keep what it knows. */
const state = "/run/kata-containers/.agent/crun";
await calls.CreateSandbox({ sandbox_id: "life", hostname: "life-pod" });
// What is made once, such as crun's state folder, is made here.
const warm = await agent.run("warm", { args: ["sleep", "100"] });
await agent.exec(warm, "warm-terminal", { args: ["true"], terminal: true });
await calls.WaitProcess({ container_id: warm, exec_id: "warm-terminal" });
await agent.remove(warm);

/** Nothing is left, although the last zombie may take a moment to go. */
async function left(t: Test, before: ReturnType<typeof agent.traces>): Promise<void> {
  let after = agent.traces();
  await eventually(() => {
    after = agent.traces();
    return JSON.stringify(after) === JSON.stringify(before);
  });
  t.same(after, before, "nothing is left behind");
}

test("the whole sequence of the Go shim ends without a trace", async (t) => {
  const before = agent.traces();
  const id = agent.id("shim");
  const details = await calls.GetGuestDetails({ mem_block_size: true, mem_hotplug_probe: true });
  t.equal(details.agent_details?.version, (await calls.Version({})).agent_version);
  t.equal(details.agent_details?.init_daemon, true);
  await calls.CreateContainer({
    container_id: id,
    exec_id: id,
    OCI: specOf(agent.root, { args: ["sh", "-c", "read word; echo got $word; echo bad >&2; exit 7"] }),
  });
  await calls.StartContainer({ container_id: id });
  const output = agent.readAll(id, id);
  const errors = agent.readAll(id, id, "Stderr");
  t.equal((await calls.WriteStdin({ container_id: id, exec_id: id, data: Buffer.from("ping\n") })).len, 5);
  await calls.CloseStdin({ container_id: id, exec_id: id });
  t.equal(`${await output}`, "got ping\n");
  t.equal(`${await errors}`, "bad\n");
  t.equal((await calls.WaitProcess({ container_id: id, exec_id: id })).status, 7);
  t.same(await refusal(calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 })), {
    code: 0,
    message: "",
  });
  t.equal(
    (await calls.WaitProcess({ container_id: id, exec_id: id })).status,
    7,
    "init can be waited for again",
  );
  await calls.RemoveContainer({ container_id: id });
  await left(t, before);
});

test("exit codes and signals come out as the shim knows them", async (t) => {
  const cases = [
    ["true", 0],
    ["exit 42", 42],
    ["exit 255", 255],
    ["kill -KILL $$", 0],
    ["trap 'exit 3' TERM; kill -TERM $$; sleep 9", 3],
  ] as const;
  for (const [script, status] of cases) {
    const id = await agent.run(`code${script.length}`, { args: ["sh", "-c", script] });
    // A first process of a pid namespace cannot kill itself: the kernel drops the signal.
    t.equal((await calls.WaitProcess({ container_id: id })).status, status, script);
    await calls.RemoveContainer({ container_id: id });
  }
  const id = await agent.run("signals", { args: ["sleep", "100"] });
  for (const signal of [1, 9, 11, 15]) {
    await agent.exec(id, `by-${signal}`, { args: ["sleep", "100"] });
    await calls.SignalProcess({ container_id: id, exec_id: `by-${signal}`, signal });
    t.equal((await calls.WaitProcess({ container_id: id, exec_id: `by-${signal}` })).status, 128 + signal);
  }
  await agent.remove(id);
});

// agent-api 3.3.2
test("a second create of an id is refused and the first runs on", async (t) => {
  const id = await agent.run("twice", { args: ["cat"] });
  const before = agent.traces();
  const { code, message } = await refusal(
    calls.CreateContainer({ container_id: id, OCI: specOf(agent.root, { args: ["true"] }) }),
  );
  t.equal(code, Code.internal);
  t.notMatch(message, /not found|not exist/, "the shim must not take it for a missing container");
  await left(t, before);
  await calls.WriteStdin({ container_id: id, data: Buffer.from("alive") });
  t.equal(await agent.readText(id, 5), "alive");
  await agent.remove(id);
});

test("of two creates at once for one id exactly one has effects", async (t) => {
  const before = agent.traces();
  const results = await Promise.all(
    [1, 2].map(() => refusal(agent.create("race", { args: ["sleep", "100"] }))),
  );
  t.same(results.map(({ code }) => code).sort(), [0, Code.internal]);
  await calls.RemoveContainer({ container_id: agent.id("race") });
  await left(t, before);
});

test("a second start is refused and the program runs on", async (t) => {
  const id = await agent.run("again", { args: ["cat"] });
  t.equal((await refusal(calls.StartContainer({ container_id: id }))).code, Code.internal);
  await calls.WriteStdin({ container_id: id, data: Buffer.from("alive") });
  t.equal(await agent.readText(id, 5), "alive");
  await agent.remove(id);
});

test("crun knows a container as running that was started without it", needsRoot, async (t) => {
  const before = agent.traces();
  const id = await agent.create("known", { args: ["sleep", "100"] });
  const place = ["--target", `${agent.pid}`, "--mount", "--pid", "crun", `--root=${state}`, "state", id];
  const { PATH } = process.env;
  const status = () => {
    const { stdout } = spawnSync("nsenter", place, { encoding: "utf8", env: { PATH } });
    return (JSON.parse(stdout) as { status: string }).status;
  };
  t.equal(status(), "created");
  await calls.StartContainer({ container_id: id });
  t.equal(status(), "running");
  await agent.remove(id);
  t.throws(status, "crun does not know it any more");
  await left(t, before);
});

test("a container that only crun can start or end is left to crun", async (t) => {
  const before = agent.traces();
  const id = await agent.create("odd", { args: ["sleep", "100"] });
  const fifo = agent.path(`${state}/${id}/exec.fifo`);
  renameSync(fifo, `${fifo}.away`);
  const { code, message } = await refusal(calls.StartContainer({ container_id: id }));
  t.equal(code, Code.internal);
  t.match(message, /crun start: .*exec.fifo/);
  // The group of a container may have groups below it by then.
  mkdirSync(agent.path(`/sys/fs/cgroup/${id}/below`));
  await agent.remove(id);
  await left(t, before);
});

// agent-api 3.4
test("a start after the death of init is refused, and nothing else is held up", async (t) => {
  const id = await agent.create("died", { args: ["true"] });
  await calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 });
  const other = await agent.run("lives", { args: ["true"] });
  t.equal((await refusal(calls.StartContainer({ container_id: id }))).code, Code.internal);
  t.equal((await calls.WaitProcess({ container_id: other })).status, 0);
  t.equal((await calls.WaitProcess({ container_id: id })).status, 137);
  await calls.RemoveContainer({ container_id: id });
  await calls.RemoveContainer({ container_id: other });
});

// agent-api 3.5
test("a running container with children is removed whole", async (t) => {
  const before = agent.traces();
  const id = await agent.run("resists", {
    args: ["sh", "-c", "trap '' TERM HUP INT; sleep 1000 & sleep 1000"],
  });
  await agent.exec(id, "also", { args: ["sleep", "1000"] });
  await calls.RemoveContainer({ container_id: id });
  await left(t, before);
});

test("the first answer of two removals at once comes when all is gone", async (t) => {
  const before = agent.traces();
  const container_id = agent.id("removed");
  const storages = Array.from({ length: 8 }, (_, n) => ({
    driver: "overlayfs",
    source: "tmpfs",
    fstype: "tmpfs",
    mount_point: `/run/kata-containers/removed-${n}`,
  }));
  for (let round = 0; round < 2; round++) {
    await calls.CreateContainer({ container_id, OCI: specOf(agent.root, { args: ["true"] }), storages });
    const removals = [1, 2].map(() => refusal(calls.RemoveContainer({ container_id, timeout: 30 })));
    await Promise.race(removals);
    t.same(agent.traces().mounts, before.mounts);
    t.same(
      (await Promise.all(removals)).map(({ code }) => code),
      [0, 0],
    );
    await left(t, before);
  }
});

test("a container whose storage somebody else uses is removed all the same", async (t) => {
  const before = agent.traces();
  const container_id = agent.id("busy");
  const mount_point = `/run/kata-containers/${container_id}/data`;
  const storage = { driver: "virtio-fs", source: "tmpfs", fstype: "tmpfs" };
  const storages = [mount_point, `${mount_point}/inner`].map((path) => ({ ...storage, mount_point: path }));
  const OCI = specOf(agent.root, { args: ["true"] });
  await calls.CreateContainer({ container_id, OCI, storages });
  const user = openSync(agent.path(`${mount_point}/inner`), "r");
  try {
    t.same(await refusal(calls.RemoveContainer({ container_id })), { code: 0, message: "" });
    await left(t, before);
    await calls.CreateContainer({ container_id, OCI, storages });
    await calls.RemoveContainer({ container_id });
  } finally {
    closeSync(user);
  }
  await left(t, before);
});

// agent-api 10.2
test("a container is removed although a storage below its bundle stays", async (t) => {
  const container_id = agent.id("keeps");
  const mount_point = `/run/kata-containers/${container_id}/shared`;
  const OCI = specOf(agent.root, { args: ["true"] });
  const shared = { driver: "virtio-fs", source: "tmpfs", fstype: "tmpfs", mount_point, shared: true };
  await calls.CreateContainer({ container_id, OCI, storages: [shared] });
  t.same(await refusal(calls.RemoveContainer({ container_id })), { code: 0, message: "" });
  t.ok(await eventually(() => agent.logLines.some(({ msg }) => msg?.includes("left behind"))));
  const { code } = await refusal(calls.RemoveContainer({ container_id }));
  t.equal(code, Code.internal, "its id is forgotten");
});

// agent-api 3.7
test("SIGKILL without an exec id reaches every process of the container", async (t) => {
  const id = await agent.run("all", { args: ["sh", "-c", "sleep 1000 & sleep 1000"] });
  await agent.exec(id, "shell", { args: ["sh", "-c", "(sleep 1000 &) ; sleep 1000"] });
  await calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 });
  t.equal((await calls.WaitProcess({ container_id: id })).status, 137);
  t.equal((await calls.WaitProcess({ container_id: id, exec_id: "shell" })).status, 137);
  t.ok(await eventually(() => agent.children() === 0), "grandchildren are gone too");
  await calls.RemoveContainer({ container_id: id });
});

// agent-api 3.7
test("SIGTERM ends an init that does not handle it, and is left to one that does", async (t) => {
  const plain = await agent.run("plain", { args: ["sleep", "1000"] });
  await calls.SignalProcess({ container_id: plain, exec_id: "", signal: 15 });
  t.equal((await calls.WaitProcess({ container_id: plain })).status, 137);
  const handles = await agent.run("handles", {
    args: ["sh", "-c", "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done"],
  });
  t.equal(await agent.readText(handles, 6), "ready\n");
  await calls.SignalProcess({ container_id: handles, exec_id: handles, signal: 15 });
  t.equal((await calls.WaitProcess({ container_id: handles })).status, 5);
  await calls.RemoveContainer({ container_id: plain });
  await calls.RemoveContainer({ container_id: handles });
});

// agent-api 3.3.2, 10.2
test("a failed create leaves nothing behind", async (t) => {
  const before = agent.traces();
  const good = specOf(agent.root, { args: ["true"] });
  const local = {
    driver: "local",
    source: "local",
    fstype: "local",
    mount_point: "/run/kata-containers/h/vol",
  };
  const memory = (name: string, fstype = "tmpfs") => ({
    driver: "overlayfs",
    source: "tmpfs",
    fstype,
    mount_point: `/run/kata-containers/volume-${name}`,
  });
  const cases = {
    "missing program": { OCI: specOf(agent.root, { args: ["no-such-program"] }) },
    "missing root": { OCI: specOf("/nowhere/at/all", { args: ["true"] }) },
    "relative root": { OCI: specOf("root", { args: ["true"] }) },
    "root that is a file": { OCI: specOf(join(agent.root, "bin/busybox"), { args: ["true"] }) },
    "no document": {},
    "no process": { OCI: { ...good, Process: undefined } },
    "no arguments": { OCI: specOf(agent.root, { args: [] }) },
    "bad environment": { OCI: specOf(agent.root, { args: ["true"], env: ["NOVALUE"] }) },
    "NUL in an argument": { OCI: specOf(agent.root, { args: ["true", "a\0b"] }) },
    "climbing group": { OCI: { ...good, Linux: { ...good.Linux, CgroupsPath: "/a/../../b" } } },
    "unknown namespace": { OCI: { ...good, Linux: { ...good.Linux, Namespaces: [{ Type: "shadow" }] } } },
    "limit that cannot be set": {
      OCI: {
        ...good,
        Linux: { ...good.Linux, Resources: { HugepageLimits: [{ Pagesize: "3MB", Limit: 1n }] } },
      },
    },
    "bad storage after a good one": {
      OCI: good,
      storages: [memory("one"), memory("two", "no-such-fs"), memory("three")],
    },
    "unknown driver after a good one": { OCI: good, storages: [memory("one"), { ...local, driver: "9p" }] },
    "mount that cannot be": {
      OCI: {
        ...good,
        Mounts: [
          ...(good.Mounts ?? []),
          { destination: "/x", source: "/nowhere", type: "bind", options: ["rbind"] },
        ],
      },
    },
    device: { OCI: good, devices: [{ id: "d", type: "blk", container_path: "/dev/x" }] },
  };
  for (const [name, request] of Object.entries(cases)) {
    const { code, message } = await refusal(
      calls.CreateContainer({ container_id: agent.id("bad"), ...request }),
    );
    t.equal(code, Code.internal, name);
    t.notMatch(message, /\n|at .*\.ts|suppressed/, name);
    if (name === "missing program") t.match(message, /not found/);
    await left(t, before);
  }
  const badIds = [
    "",
    "a",
    "../up",
    "-dash",
    "a/b",
    "x".repeat(256),
    "shared",
    ".hidden",
    "with space",
    "nul\0",
  ];
  for (const container_id of badIds) {
    const { code } = await refusal(calls.CreateContainer({ container_id, OCI: good }));
    t.equal(code, Code.internal, `id ${JSON.stringify(container_id)}`);
  }
  t.same(agent.traces(), before);
});

test("a create whose time is up answers so and leaves nothing", async (t) => {
  const before = agent.traces();
  const container_id = agent.id("late");
  const { code, message } = await refusal(
    calls.CreateContainer({ container_id, OCI: specOf(agent.root, { args: ["true"] }) }, { timeoutMs: 1 }),
  );
  t.equal(code, Code.deadlineExceeded);
  t.equal(message, "timeout");
  // The create goes on behind the answer; its id is free once it has been undone.
  const again = () => refusal(agent.create("late", { args: ["true"] }));
  t.ok(await eventually(async () => (await again()).code === 0));
  await calls.RemoveContainer({ container_id });
  await left(t, before);
});

test("an exec whose time is up is killed, and its id is free again", async (t) => {
  const container_id = await agent.run("hurry", { args: ["sleep", "1000"] });
  const before = agent.traces();
  const exec_id = "late";
  const process = processOf({ args: ["sleep", "1000"] });
  const { code } = await refusal(calls.ExecProcess({ container_id, exec_id, process }, { timeoutMs: 1 }));
  t.equal(code, Code.deadlineExceeded);
  const again = () => refusal(agent.exec(container_id, exec_id, { args: ["true"] }));
  t.ok(await eventually(async () => (await again()).code === 0));
  t.equal((await calls.WaitProcess({ container_id, exec_id })).status, 0);
  await left(t, before);
  await agent.remove(container_id);
});

test("storages are shared, counted and released", async (t) => {
  const mount_point = "/run/kata-containers/volume";
  const storage = {
    driver: "overlayfs",
    source: "tmpfs",
    fstype: "tmpfs",
    mount_point,
    options: ["size=1m"],
  };
  const before = agent.traces();
  const create = (name: string) =>
    calls.CreateContainer({
      container_id: agent.id(name),
      OCI: specOf(agent.root, { args: ["true"] }),
      storages: [storage],
    });
  const mounted = () => agent.traces().mounts.filter((point) => point === mount_point).length;
  await Promise.all([create("first"), create("second")]);
  t.equal(mounted(), 1, "two users, one mount");
  await calls.RemoveContainer({ container_id: agent.id("first") });
  t.equal(mounted(), 1, "still in use");
  await Promise.all([calls.RemoveContainer({ container_id: agent.id("second") }), create("third")]);
  t.equal(mounted(), 1, "a new user that comes while the last one goes finds it mounted");
  await calls.RemoveContainer({ container_id: agent.id("third") });
  t.equal(mounted(), 0);
  await left(t, before);
});

// agent-api 10.3
test("files under a mount in a bundle are never deleted", async (t) => {
  const host = join(agent.folder, "host-data");
  mkdirSync(host);
  writeFileSync(join(host, "precious"), "");
  const id = agent.id("keeps");
  const rootfs = `/run/kata-containers/${id}/rootfs`;
  await calls.CreateContainer({
    container_id: id,
    OCI: specOf(rootfs, { args: ["ls", "/etc"] }),
    storages: [
      { driver: "overlayfs", source: agent.root, fstype: "bind", options: ["bind"], mount_point: rootfs },
    ],
  });
  await calls.StartContainer({ container_id: id });
  t.equal((await calls.WaitProcess({ container_id: id })).status, 0);
  await calls.RemoveContainer({ container_id: id });
  t.ok(await agent.run("still", { args: ["ls", "/bin/busybox"] }), "the root file system is whole");
  await agent.remove(agent.id("still"));
});

test("removals with a time limit give up on their own and join the one that goes on (3.5, 3.37)", async (t) => {
  const before = agent.traces();
  const container_id = await agent.run("limited", { args: ["sleep", "1000"] });
  const removals = Array.from({ length: 20 }, (_, n) =>
    refusal(calls.RemoveContainer({ container_id, timeout: n % 2 === 0 ? 60 : 0 })),
  );
  t.same(
    (await Promise.all(removals)).map(({ code }) => code),
    removals.map(() => 0),
  );
  await left(t, before);
});
