/**
 * What the Go shim of Kata 4.1 sends, in its order and with its fields (agent-api 3.0; image-and-runtime 4.2 to 4.5,
 * 4.7). Each sequence runs over ttRPC, which the shim speaks, and over gRPC.
 */
import t, { type Test } from "tap";
import { Code } from "../../src/base/code.ts";
import { processOf, specOf, type Wanted } from "../fakes/container-spec.ts";
import {
  eventually,
  type Methods,
  needsRoot,
  type RealAgent,
  refusal,
  startAgent,
} from "../fakes/real-agent.ts";
import { attach, readToEnd } from "../fakes/replay.ts";

const shm = {
  driver: "ephemeral",
  source: "shm",
  fstype: "tmpfs",
  mount_point: "/run/kata-containers/sandbox/shm",
  options: ["noexec", "nosuid", "nodev", "mode=1777", "size=67108864"],
};

/** Steps 1 to 7 of a sandbox; the network comes before there is one. */
async function openSandbox(t: Test, calls: Methods, sandbox_id: string): Promise<void> {
  t.equal((await calls.Check({ service: "" })).status, 1);
  const late = await refusal(
    calls.UpdateInterface({
      interface: { device: "eth0", name: "eth0", hwAddr: "02:00:ca:fe:00:01", mtu: 1500n },
    }),
  );
  t.match(late, { code: Code.internal, message: /Link not found/ }, "no such NIC yet (agent-api 0.4)");
  await calls.UpdateRoutes({ routes: { Routes: [] } });
  await calls.CreateSandbox({
    hostname: "pod",
    dns: ["nameserver 192.0.2.1", ""],
    storages: [shm],
    sandbox_pidns: false,
    sandbox_id,
  });
  const details = await calls.GetGuestDetails({ mem_block_size: true, mem_hotplug_probe: true });
  t.ok(details.agent_details?.version);
}

/** Steps 9, 12 and 13, then the start with its second pass over the resources. */
async function startContainer(
  agent: RealAgent,
  calls: Methods,
  container_id: string,
  wanted: Wanted,
  sandbox_pidns = false,
): Promise<void> {
  const OCI = specOf(agent.root, wanted);
  await calls.CreateContainer({ container_id, exec_id: container_id, OCI, sandbox_pidns });
  const resources = async () => {
    await calls.OnlineCPUMem({ wait: false, nb_cpus: 0, cpu_only: false });
    await calls.UpdateEphemeralMounts({ storages: [] });
  };
  await resources();
  await calls.StartContainer({ container_id });
  await resources();
}

/** How the shim takes a container away: the exit was asked for before, and is asked for again. */
async function stopContainer(t: Test, calls: Methods, container_id: string, status: number): Promise<void> {
  const killed = await refusal(calls.SignalProcess({ container_id, exec_id: "", signal: 9 }));
  t.ok(killed.code === 0 || /ESRCH: No such process/.test(killed.message), "nobody left to kill is fine");
  t.equal((await calls.WaitProcess({ container_id, exec_id: container_id })).status, status);
  await calls.RemoveContainer({ container_id, timeout: 0 });
  await calls.RemoveStaleVirtiofsShareMounts({});
}

for (const protocol of ["ttRPC", "gRPC"] as const) {
  const start = async (t: Test): Promise<{ agent: RealAgent; calls: Methods }> => {
    const agent = await startAgent();
    t.teardown(() => agent[Symbol.asyncDispose]());
    return { agent, calls: protocol === "ttRPC" ? agent.calls : await agent.connectGrpc() };
  };
  const end = async (t: Test, agent: RealAgent, calls: Methods) => {
    t.same(await refusal(calls.DestroySandbox({})), { code: 0, message: "" });
    t.same(await agent.ended, { code: 0, signal: null });
    t.match(agent.output, /shutdown complete/);
  };

  t.test(`ctr run by ${protocol}`, async (t) => {
    const { agent, calls } = await start(t);
    const id = agent.id("single");
    await openSandbox(t, calls, id);
    const oom = refusal(calls.GetOOMEvent({}));
    const args = ["sh", "-c", "read word; echo got $word; echo bad >&2; exit 7"];
    await startContainer(agent, calls, id, { args });
    const output = attach(calls, id, id);
    await calls.WriteStdin({ container_id: id, exec_id: id, data: Buffer.from("ping\n") });
    await calls.CloseStdin({ container_id: id, exec_id: id });
    t.same(await output, { stdout: "got ping\n", stderr: "bad\n", status: 7 });
    t.equal((await calls.Check({})).status, 1);
    await stopContainer(t, calls, id, 7);
    await end(t, agent, calls);
    t.not((await oom).code, 0, "the loop of OOM events ends with the sandbox");
  });

  t.test(
    `a pod with two containers by ${protocol}: exec, attach with a terminal, kill, delete`,
    async (t) => {
      const { agent, calls } = await start(t);
      const [pause, app, side] = [agent.id("pause"), agent.id("app"), agent.id("side")];
      await openSandbox(t, calls, pause);
      await startContainer(agent, calls, pause, {
        args: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"],
      });
      const paused = attach(calls, pause, pause);
      // Both share the process namespace of the pod.
      await startContainer(agent, calls, app, { args: ["sleep", "1000"] }, true);
      await startContainer(
        agent,
        calls,
        side,
        { args: ["sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done"] },
        true,
      );
      const [apps, sides] = [
        attach(calls, app, app),
        readToEnd(calls, { container_id: side, exec_id: side }, "ReadStdout"),
      ];

      const probe = "0b0e2a0c-6d4d-4c8e-9c43-2f4a7a3b9a10";
      await calls.ExecProcess({
        container_id: app,
        exec_id: probe,
        process: processOf({ args: ["sh", "-c", "(sleep 0.1 &); hostname"] }),
      });
      t.match(await attach(calls, app, probe), { stdout: "pod\n", status: 0 });
      t.match(
        await refusal(calls.WaitProcess({ container_id: app, exec_id: probe })),
        { code: Code.notFound },
        "its record went with the wait (agent-api 3.8)",
      );

      const shell = "5d7c2d2e-02a4-4f7f-9f0e-8a4d2a1b7c33";
      await calls.ExecProcess({
        container_id: app,
        exec_id: shell,
        process: processOf({ args: ["sh", "-c", "read line; stty size; exit 9"], terminal: true }),
      });
      await calls.TtyWinResize({ container_id: app, exec_id: shell, row: 40, column: 120 });
      const screen = attach(calls, app, shell, true);
      await calls.WriteStdin({ container_id: app, exec_id: shell, data: Buffer.from("\n") });
      await calls.CloseStdin({ container_id: app, exec_id: shell });
      t.match(await screen, { stdout: /40 120/, status: 9 });

      t.equal((await calls.StatsContainer({ container_id: app })).network_stats.length, 0);
      await calls.PauseContainer({ container_id: app });
      await calls.ResumeContainer({ container_id: app });
      await calls.SignalProcess({ container_id: app, exec_id: "", signal: 15 });
      t.match(
        await apps,
        { status: 137 },
        "an init that does not handle SIGTERM gets SIGKILL, in any namespace (agent-api 3.7)",
      );
      await calls.SignalProcess({ container_id: side, exec_id: "", signal: 15 });
      t.equal(await sides, "up\n");
      t.equal((await calls.WaitProcess({ container_id: side, exec_id: side })).status, 5);
      await stopContainer(t, calls, app, 137);
      await stopContainer(t, calls, side, 5);
      t.ok(
        await eventually(() => agent.children() === 1),
        "no zombie is left, though all shared a process namespace",
      );
      await calls.SignalProcess({ container_id: pause, exec_id: "", signal: 9 });
      t.match(await paused, { status: 137 });
      await stopContainer(t, calls, pause, 137);
      await end(t, agent, calls);
    },
  );
}

// agent-api 0.4
t.test("odd orders of the shim", needsRoot, async (t) => {
  const agent = await startAgent();
  t.teardown(() => agent[Symbol.asyncDispose]());
  const { calls } = agent;
  await calls.CreateSandbox({ sandbox_id: "odd", hostname: "odd" });

  await t.test("kill before start, then start, wait and delete", async (t) => {
    const id = await agent.create("early", { args: ["sleep", "1000"] });
    await calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 });
    t.equal((await refusal(calls.StartContainer({ container_id: id }))).code, Code.internal);
    await stopContainer(t, calls, id, 137);
  });

  await t.test("delete of a container that was created and never started", async (t) => {
    const id = await agent.create("never", { args: ["sleep", "1000"] });
    await stopContainer(t, calls, id, 137);
  });

  await t.test("removal of an unknown container, as a forced stop sends it", async (t) => {
    const container_id = agent.id("unknown");
    const forced = await Promise.all([
      refusal(calls.SignalProcess({ container_id, exec_id: "", signal: 9 })),
      refusal(calls.WaitProcess({ container_id, exec_id: container_id })),
      refusal(calls.RemoveContainer({ container_id })),
    ]);
    // agent-api 0.3
    t.same(
      forced.map(({ code }) => code),
      [Code.internal, Code.invalidArgument, Code.internal],
    );
  });

  await t.test("a second create after a time-out of the host has no effect (agent-api 10.3)", async (t) => {
    const id = await agent.run("double", { args: ["cat"] });
    const OCI = specOf(agent.root, { args: ["true"] });
    t.equal(
      (await refusal(calls.CreateContainer({ container_id: id, exec_id: id, OCI }))).code,
      Code.internal,
    );
    t.equal((await refusal(calls.StartContainer({ container_id: id }))).code, Code.internal);
    await calls.WriteStdin({ container_id: id, exec_id: id, data: Buffer.from("alive") });
    t.equal(await agent.readText(id, 5), "alive");
    await stopContainer(t, calls, id, 137);
  });

  await t.test("waits after the exit, several at once, all hear the same (agent-api 3.8)", async (t) => {
    const id = await agent.run("ended", { args: ["sh", "-c", "exit 11"] });
    t.ok(await eventually(() => agent.children() === 0), "it has ended before anybody asks");
    const waits = Array.from({ length: 20 }, () => calls.WaitProcess({ container_id: id, exec_id: id }));
    t.same(new Set((await Promise.all(waits)).map(({ status }) => status)), new Set([11]));
    await stopContainer(t, calls, id, 11);
  });

  await t.test(
    "1,000 reads and as many waits outstanding hold up no other call (agent-api 0.1)",
    async (t) => {
      const id = await agent.run("quiet", { args: ["sleep", "1000"] });
      const other = await agent.connect();
      const process = { container_id: id, exec_id: id };
      const reads = Array.from({ length: 1000 }, () => other.ReadStdout({ ...process, len: 32 * 1024 }));
      const waits = Array.from({ length: 1000 }, () => other.WaitProcess(process));
      t.equal((await other.Check({})).status, 1);
      const life = await agent.run("beside", { args: ["echo", "beside"] });
      t.match(await attach(other, life, life), { stdout: "beside\n", status: 0 });
      await calls.RemoveContainer({ container_id: life });
      await calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 });
      t.ok((await Promise.all(reads)).every(({ data }) => data.length === 0));
      t.ok((await Promise.all(waits)).every(({ status }) => status === 137));
      await stopContainer(t, calls, id, 137);
    },
  );
});
