import t from "tap";
import { specOf } from "../fakes/container-spec.ts";
import { DeadShare, noDeadShare } from "../fakes/dead-share.ts";
import { refusal, startAgent } from "../fakes/real-agent.ts";

const share = "/run/kata-containers/shared/containers/dead";
const parallel = 10;
const rounds = 2;

/** "open" while a call has no answer yet. */
async function stateOf(call: Promise<unknown>): Promise<"open" | "answered"> {
  return Promise.race([
    call.then(() => "answered" as const),
    new Promise<"open">((resolve) => setImmediate(resolve, "open")),
  ]);
}

// agent-api 10.2: reads, waits and writes of one process never block those of another.
// agent-api 0.2, 3.17
t.test("ten containers come and go beside what stands still", { skip: noDeadShare }, async (t) => {
  const agent = await startAgent();
  t.teardown(() => agent[Symbol.asyncDispose]());
  const { calls } = agent;
  await calls.CreateSandbox({ sandbox_id: "frozen", hostname: "frozen" });
  await using dead = await DeadShare.mount(agent.pid, share);

  const stopped = await agent.run("stopped", { args: ["cat"] });
  await calls.SignalProcess({ container_id: stopped, exec_id: "", signal: 19 });
  const paused = await agent.run("paused", { args: ["sh", "-c", "while :; do echo tick; done"] });
  await calls.PauseContainer({ container_id: paused });
  const still = {
    "a write into a full pipe": refusal(
      calls.WriteStdin({ container_id: stopped, data: Buffer.alloc(1024 * 1024) }),
    ),
    "a read of a stopped process": refusal(calls.ReadStdout({ container_id: stopped, len: 10 })),
    "a wait for a stopped process": refusal(calls.WaitProcess({ container_id: stopped })),
    "a wait for a paused container": refusal(calls.WaitProcess({ container_id: paused })),
    "a container on a dead share": refusal(
      calls.CreateContainer({
        container_id: agent.id("dead"),
        OCI: specOf(`${share}/rootfs`, { args: ["true"] }),
      }),
    ),
    "figures of a volume on a dead share": refusal(
      calls.GetVolumeStats({ volume_guest_path: `${share}/volume` }),
    ),
    "a look at dead mounts": refusal(calls.RemoveStaleVirtiofsShareMounts({})),
  };

  for (let round = 0; round < rounds; round += 1) {
    const lives = Array.from({ length: parallel }, async (_, n) => {
      const id = await agent.run(`life-${round}-${n}`, { args: ["echo", `${n}`] });
      const output = `${await agent.readAll(id)}`;
      const { status } = await calls.WaitProcess({ container_id: id });
      await calls.RemoveContainer({ container_id: id });
      return { output, status };
    });
    t.equal((await calls.Check({})).status, 1);
    const expected = Array.from({ length: parallel }, (_, n) => ({ output: `${n}\n`, status: 0 }));
    t.same(await Promise.all(lives), expected);
  }
  for (const [name, call] of Object.entries(still)) {
    // This one has a limit of its own, so that a dead share holds it up for a while only.
    if (name !== "a look at dead mounts") t.equal(await stateOf(call), "open", name);
  }

  await calls.SignalProcess({ container_id: stopped, exec_id: "", signal: 9 });
  await calls.ResumeContainer({ container_id: paused });
  await calls.SignalProcess({ container_id: paused, exec_id: "", signal: 9 });
  await dead[Symbol.asyncDispose]();
  for (const [name, call] of Object.entries(still)) t.ok(await call, `${name} ends with its reason to stand`);
  for (const container_id of [stopped, paused]) await calls.RemoveContainer({ container_id });
});
