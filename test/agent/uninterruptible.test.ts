import { readFileSync } from "node:fs";
import t, { type Test } from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { DeadShare, noDeadShare } from "../fakes/dead-share.ts";
import { eventually, type RealAgent, refusal, startAgent } from "../fakes/real-agent.ts";

/** Processes that not even SIGKILL ends, since their host has taken a question and does not answer, as on virtio-fs. */

const share = "/run/kata-containers/shared/containers/dead";
const waitsForAnswer = "request_wait_answer";

async function agentWithSandbox(t: Test, config?: string): Promise<RealAgent> {
  const agent = await startAgent(config === undefined ? {} : { config });
  t.teardown(() => agent[Symbol.asyncDispose]());
  await agent.calls.CreateSandbox({ sandbox_id: "asleep", hostname: "asleep" });
  return agent;
}

function processesOf(agent: RealAgent, id: string): number[] {
  const text = readFileSync(agent.path(`/sys/fs/cgroup/${id}/cgroup.procs`), "utf8");
  return text.split("\n").filter(Boolean).map(Number);
}

const sleeps = (pid: number) => readFileSync(`/proc/${pid}/wchan`, "utf8") === waitsForAnswer;

async function life(agent: RealAgent, name: string): Promise<void> {
  await agent.remove(await agent.run(name, { args: ["true"] }));
}

// agent-api 10.2: RemoveContainer finishes even when processes resist.
t.test(
  "a container whose process does not end is removed, and nobody else waits",
  {
    skip: noDeadShare,
  },
  async (t) => {
    const agent = await agentWithSandbox(t);
    const { calls } = agent;
    const id = await agent.run("asleep", { args: ["sleep", "1000"] });
    const [init = 0] = processesOf(agent, id);
    await using dead = await DeadShare.mount(init, "/tmp/dead", "taken");
    await agent.exec(id, "sleeper", { args: ["cat", "/tmp/dead/x"] });
    t.ok(await eventually(() => processesOf(agent, id).some((pid) => pid !== init && sleeps(pid))));
    const removal = calls.RemoveContainer({ container_id: id });
    await life(agent, "beside");
    t.equal((await calls.Check({})).status, 1);
    await removal;
    const isTold = ({ msg, container }: Record<string, unknown>) =>
      msg === "processes of a removed container do not end" && container === id;
    t.ok(await eventually(() => agent.logLines.some(isTold)), "the log tells what was left");
    t.match(await refusal(calls.StartContainer({ container_id: id })), { message: "Invalid container id" });
    await calls.DestroySandbox({});
    // The kernel ends no namespace of processes before the last of them.
    await dead[Symbol.asyncDispose]();
    t.same(await agent.ended, { code: 0, signal: null });
  },
);

t.test(
  "a create whose crun does not end is told so in time, and its id is free",
  {
    skip: noDeadShare,
  },
  async (t) => {
    const agent = await agentWithSandbox(t, "crun_timeout = 1");
    const { calls } = agent;
    await using dead = await DeadShare.mount(agent.pid, share, "taken");
    const id = agent.id("volume");
    const spec = specOf(agent.root, { args: ["true"] });
    const volume = { destination: "/volume", source: `${share}/volume`, type: "bind", options: ["rbind"] };
    const create = refusal(
      calls.CreateContainer({ container_id: id, OCI: { ...spec, Mounts: [...(spec.Mounts ?? []), volume] } }),
    );
    await life(agent, "beside");
    t.equal((await calls.Check({})).status, 1);
    t.same(await create, { code: Code.internal, message: "crun create: no end within 1000 ms" });
    await calls.CreateContainer({ container_id: id, OCI: spec });
    await dead[Symbol.asyncDispose]();
  },
);
