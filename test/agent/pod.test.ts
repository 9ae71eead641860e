import { existsSync, readFileSync, readlinkSync } from "node:fs";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const needsModprobe = existsSync("/sbin/modprobe") ? {} : { skip: "no modprobe here" };
const sandboxMounts = () => agent.traces().mounts.filter((point) => point.startsWith("/run/sandbox-ns"));

test("a parameter of a kernel module is never an option of modprobe", needsModprobe, async (t) => {
  const kernel_modules = [{ name: "no-such-module-anywhere", parameters: ["--version"] }];
  const { code, message } = await refusal(calls.CreateSandbox({ sandbox_id: "pod1", kernel_modules }));
  t.equal(code, Code.internal);
  t.match(message, /modprobe no-such-module-anywhere ended with status 1/);
});

test("a sandbox that cannot be made is undone and may be asked for again", async (t) => {
  const before = agent.traces();
  const { code } = await refusal(
    calls.CreateSandbox({
      sandbox_id: "pod1",
      hostname: "pod-host",
      storages: [
        { driver: "overlayfs", source: "x", fstype: "no-such-fs", mount_point: "/run/kata-containers/v" },
      ],
    }),
  );
  t.equal(code, Code.internal);
  t.same(agent.traces().mounts, before.mounts);
  await calls.CreateSandbox({
    sandbox_id: "pod1",
    hostname: "pod-host",
    dns: ["nameserver 192.0.2.1", "options ndots:5", ""],
    storages: [
      {
        driver: "ephemeral",
        source: "shm",
        fstype: "tmpfs",
        options: ["noexec", "nosuid", "nodev", "mode=1777", "size=1048576"],
        mount_point: "/run/kata-containers/sandbox/shm",
      },
    ],
  });
  t.equal(sandboxMounts().length, 2);
  t.equal(readFileSync(agent.path("/etc/resolv.conf"), "utf8"), "nameserver 192.0.2.1\noptions ndots:5\n\n");
});

test("a second sandbox is refused and the first one untouched", async (t) => {
  const id = await agent.run("first", { args: ["cat"] });
  const before = agent.traces();
  for (const sandbox_id of ["pod1", "pod2", "../pod"]) {
    t.equal((await refusal(calls.CreateSandbox({ sandbox_id, hostname: "other" }))).code, Code.internal);
  }
  t.same(agent.traces(), before);
  await calls.WriteStdin({ container_id: id, data: Buffer.from("alive") });
  t.equal(await agent.readText(id, 5), "alive");
  await agent.remove(id);
});

test("containers share host name, ipc and, when asked, the pid namespace of the first", async (t) => {
  const spec = (script: string) => specOf(agent.root, { args: ["sh", "-c", script] });
  const show = "hostname; for n in ipc uts net; do readlink /proc/self/ns/$n; done; echo $$; sleep 1000";
  const pause = agent.id("pause");
  await calls.CreateContainer({ container_id: pause, OCI: spec(show), sandbox_pidns: true });
  await calls.StartContainer({ container_id: pause });
  const outputs = [await lines(pause, 5)];
  for (const [name, sandbox_pidns] of [
    ["joins", true],
    ["apart", false],
  ] as const) {
    await calls.CreateContainer({ container_id: agent.id(name), OCI: spec(show), sandbox_pidns });
    await calls.StartContainer({ container_id: agent.id(name) });
    outputs.push(await lines(agent.id(name), 5));
  }
  const [first = [], joins = [], apart = []] = outputs;
  t.equal(first[0], "pod-host");
  t.same(joins.slice(0, 4), first.slice(0, 4));
  t.same(apart.slice(0, 4), first.slice(0, 4));
  t.not(first[1], readlinkSync(`/proc/${agent.pid}/ns/ipc`));
  t.not(first[2], readlinkSync(`/proc/${agent.pid}/ns/uts`), "the agent keeps its own host name");
  t.equal(first[3], readlinkSync(`/proc/${agent.pid}/ns/net`), "the network is the guest's");
  t.equal(first[4], "1");
  t.not(joins[4], "1", "not the first process of the pod's pid namespace");
  t.equal(apart[4], "1");
  await agent.remove(pause);
  const { code, message } = await refusal(
    calls.CreateContainer({ container_id: agent.id("late"), OCI: spec("true"), sandbox_pidns: true }),
  );
  t.equal(code, Code.internal);
  t.match(message, /pid namespace/, "the pod's namespace went with its first process");
  for (const name of ["joins", "apart"]) await agent.remove(agent.id(name));
  t.equal(sandboxMounts().length, 2);
});

test("of two first containers at once one makes the pod's pid namespace", async (t) => {
  await using other = await startAgent();
  const OCI = specOf(other.root, { args: ["sleep", "1000"] });
  const creates = ["one", "two"].map((name) =>
    other.calls.CreateContainer({ container_id: other.id(name), OCI, sandbox_pidns: true }),
  );
  const [one, two] = await Promise.allSettled(creates);
  t.equal(one?.status, "fulfilled");
  t.match(two, { status: "rejected", reason: { code: Code.internal, message: /no shared pid namespace/ } });
});

test(
  "SIGKILL reaches a whole container also where its init is not the first of its namespace",
  needsRoot,
  async (t) => {
    const pause = await agent.run("holds", { args: ["sleep", "1000"] });
    const id = agent.id("family");
    const OCI = specOf(agent.root, { args: ["sh", "-c", "sleep 1001 & sleep 1002 & echo up; wait"] });
    await calls.CreateContainer({ container_id: id, OCI, sandbox_pidns: true });
    await calls.StartContainer({ container_id: id });
    t.equal(await agent.readText(id, 3), "up\n");
    await agent.exec(pause, "look", {
      args: ["sh", "-c", "grep -lE '^sleep.100[12]' /proc/[0-9]*/cmdline | wc -l"],
    });
    t.equal(`${await agent.readAll(pause, "look")}`, "2\n", "both children are seen in the shared namespace");
    await calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 });
    t.equal((await calls.WaitProcess({ container_id: id })).status, 137);
    const gone = await eventually(async () => {
      await agent.exec(pause, "again", {
        args: ["sh", "-c", "grep -lE '^sleep.100[12]' /proc/[0-9]*/cmdline | wc -l"],
      });
      const count = `${await agent.readAll(pause, "again")}`;
      await calls.WaitProcess({ container_id: pause, exec_id: "again" });
      return count === "0\n";
    });
    t.ok(gone, "no child is left");
    await calls.RemoveContainer({ container_id: id });
    await agent.remove(pause);
  },
);

test("figures of a running container come in the message's units", needsRoot, async (t) => {
  const id = await agent.run("figures", {
    args: ["sh", "-c", "for i in $(seq 20000); do :; done; echo up; cat"],
  });
  t.equal(await agent.readText(id, 3), "up\n");
  const { cgroup_stats, network_stats } = await calls.StatsContainer({ container_id: id });
  t.same(network_stats, []);
  t.ok((cgroup_stats?.cpu_stats?.cpu_usage?.total_usage ?? 0n) > 1_000_000n, "nanoseconds");
  await agent.remove(id);
});

/** The first lines of the output of a container that goes on running. */
async function lines(id: string, count: number): Promise<string[]> {
  let text = "";
  while (text.split("\n").length <= count) {
    const { data } = await calls.ReadStdout({ container_id: id, len: 4096 });
    if (data.length === 0) break;
    text += Buffer.from(data).toString();
  }
  return text.split("\n").slice(0, count);
}
