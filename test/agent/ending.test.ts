import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { removeLeftGroups } from "../fakes/left-groups.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

// agent-api 0.4, 3.2
test("DestroySandbox is answered, then all ends: containers, waiting calls, the agent", async (t) => {
  await using agent = await startAgent();
  await agent.calls.CreateSandbox({ sandbox_id: "ends" });
  const id = await agent.run("left", { args: ["sleep", "1000"] });
  const idle = await agent.connect();
  const read = refusal(idle.ReadStdout({ container_id: id, len: 1 }));
  const oom = refusal(idle.GetOOMEvent({}));
  await idle.Check({});
  t.same(await agent.calls.DestroySandbox({}), {});
  await Promise.all([read, oom]);
  t.same(await agent.ended, { code: 0, signal: null });
  t.equal(agent.logLines.at(-1)?.msg, "shutdown complete");
  t.notOk(existsSync(join(agent.folder, "agent.sock")), "the socket is gone");
});

test("containers that are being created end with the sandbox", needsRoot, async (t) => {
  await using agent = await startAgent({ ordinary: true });
  await agent.calls.CreateSandbox({ sandbox_id: "creates" });
  const names = ["a", "b", "c", "d"];
  const creates = names.map((name) => refusal(agent.create(name, { args: ["sleep", "1000"] })));
  t.ok(await eventually(() => agent.children() > 0), "crun is at work");
  t.same(await agent.calls.DestroySandbox({}), {});
  for (const { message } of await Promise.all(creates)) {
    // The quickest may have been complete.
    t.match(message, /^(|the sandbox has ended)$/);
  }
  t.same(await agent.ended, { code: 0, signal: null });
  t.match(agent.output, /^cgroup\.procs$/m);
  const left = agent.output.split("\n").filter((line) => names.some((name) => line === agent.id(name)));
  t.same(left, [], "no group of theirs is left");
});

test("SIGTERM ends an ordinary agent in the same way, with its containers", needsRoot, async (t) => {
  await using agent = await startAgent({ ordinary: true });
  const { agent_details } = await agent.calls.GetGuestDetails({});
  t.equal(agent_details?.init_daemon, false);
  const id = await agent.run("left", { args: ["sleep", "1000"] });
  const wait = refusal(agent.calls.WaitProcess({ container_id: id }));
  const sandboxGroups = agent.traces().groups;
  t.equal(sandboxGroups.length, 1);
  process.kill(agent.pid, "SIGTERM");
  const { code } = await wait;
  t.ok(code === 0 || code === Code.unavailable || code === Code.cancelled, `the waiting call ends (${code})`);
  t.same(await agent.ended, { code: 0, signal: null });
  t.equal(agent.logLines.at(-1)?.msg, "shutdown complete");
  t.match(agent.output, /^cgroup\.procs$/m);
  t.notOk(agent.output.split("\n").includes(id), "the container and its group are gone");
});

test("SIGTERM does not end a first process, as a guest would end with it", async (t) => {
  await using agent = await startAgent();
  process.kill(agent.pid, "SIGTERM");
  t.equal((await agent.calls.Check({})).status, 1);
  await agent.calls.DestroySandbox({});
  t.same(await agent.ended, { code: 0, signal: null });
});

// agent-api 6.4
test("an agent whose output nobody reads any more goes on serving", async (t) => {
  await using agent = await startAgent({ env: { KATA_AGENT_LOG_LEVEL: "debug" } });
  agent.closeOutput();
  process.kill(agent.pid, "SIGTERM");
  await agent.calls.Check({});
  const id = await agent.run("unheard", { args: ["echo", "heard"] });
  t.equal(`${await agent.readAll(id)}`, "heard\n");
  await agent.remove(id);
  await agent.calls.DestroySandbox({});
  t.same(await agent.ended, { code: 0, signal: null });
});

test("bad options are told by name, never by value, and the agent comes up", async (t) => {
  await using agent = await startAgent({
    env: {
      KATA_AGENT_LOG_LEVEL: "secret-level",
      KATA_AGENT_TRACING: "secret-mode",
      KATA_AGENT_TRACE_ADDR: "",
    },
  });
  t.equal((await agent.calls.Check({})).status, 1);
  for (const key of ["KATA_AGENT_LOG_LEVEL", "KATA_AGENT_TRACING"]) {
    t.ok(agent.output.includes(key), key);
  }
  t.notOk(agent.output.includes("secret-"));
});

test("an agent ends with a test that is killed, and leaves no group", needsRoot, async (t) => {
  const fake = join(import.meta.dirname, "../fakes/real-agent.ts");
  const script = `
    const { startAgent } = await import(${JSON.stringify(fake)});
    const agent = await startAgent();
    await agent.run("left", { args: ["sleep", "1000"] });
    console.log(agent.pid, agent.folder);
    process.kill(process.pid, "SIGKILL");`;
  const killed = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  t.equal(killed.signal, "SIGKILL");
  const [pid, folder = ""] = killed.stdout.trim().split(" ");
  t.match(pid, /^\d+$/);
  t.ok(await eventually(() => !existsSync(`/proc/${pid}`)), "the agent has gone");
  t.ok(await eventually(() => removeLeftGroups(`t${killed.pid}-`)), "its groups are empty and go");
  rmSync(folder, { recursive: true });
});
