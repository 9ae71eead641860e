/** Requests that come again after a time-out on the host (agent-api 3.37, 10.3): what the column in brackets says. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const sandbox = { sandbox_id: "repeats", hostname: "repeats-pod" };
await calls.CreateSandbox(sandbox);
const fine = { code: 0, message: "" };
const sleeper = specOf(agent.root, { args: ["sleep", "1000"] });

// agent-api 3.37
test("CreateSandbox again is refused and wipes nothing", async (t) => {
  const id = await agent.run("kept", { args: ["sleep", "1000"] });
  const before = agent.traces();
  const answers = await Promise.all([1, 2].map(() => refusal(calls.CreateSandbox(sandbox))));
  t.same(
    answers.map(({ code }) => code),
    [Code.internal, Code.internal],
  );
  t.same(agent.traces(), before);
  await agent.remove(id);
});

// agent-api 3.37
test("CreateContainer again is refused, whatever the first one is at", async (t) => {
  const container_id = agent.id("one");
  const answers = await Promise.all(
    [1, 2, 3].map(() => refusal(calls.CreateContainer({ container_id, OCI: sleeper }))),
  );
  t.same(answers.map(({ code }) => code).sort(), [0, Code.internal, Code.internal]);
  await calls.StartContainer({ container_id });
  t.equal((await refusal(calls.CreateContainer({ container_id, OCI: sleeper }))).code, Code.internal);
  t.equal(await agent.exec(container_id, "alive", { args: ["true"] }).then(() => "runs"), "runs");
  await agent.remove(container_id);
});

// agent-api 3.4, 3.37
test("StartContainer again is refused and hangs nobody", async (t) => {
  const container_id = await agent.create("start", { args: ["sleep", "1000"] });
  const answers = await Promise.all([1, 2, 3].map(() => refusal(calls.StartContainer({ container_id }))));
  t.same(answers.map(({ code }) => code).sort(), [0, Code.internal, Code.internal]);
  t.equal((await refusal(calls.StartContainer({ container_id }))).code, Code.internal);
  await agent.remove(container_id);
});

// agent-api 3.37
test("RemoveContainer again joins the first, and is told once the id is free", async (t) => {
  const container_id = await agent.run("remove", { args: ["sleep", "1000"] });
  const answers = await Promise.all([1, 2, 3].map(() => refusal(calls.RemoveContainer({ container_id }))));
  t.same(answers, [fine, fine, fine]);
  t.equal((await refusal(calls.RemoveContainer({ container_id }))).code, Code.internal);
});

test("a removal goes on behind its time limit, and the next one joins it (3.5)", async (t) => {
  const before = agent.traces();
  const [gate, hook] = [join(agent.folder, "gate"), join(agent.folder, "waits")];
  writeFileSync(hook, `#!/bin/sh\nwhile ! [ -e ${gate} ]; do sleep 0.05; done\n`);
  chmodSync(hook, 0o755);
  const container_id = agent.id("slow");
  await calls.CreateContainer({
    container_id,
    OCI: { ...sleeper, Hooks: { Poststop: [{ Path: hook, Timeout: 60n }] } },
  });
  await calls.StartContainer({ container_id });
  const { code, message } = await refusal(calls.RemoveContainer({ container_id, timeout: 1 }));
  t.equal(code, Code.internal);
  t.match(message, /ETIME/);
  t.equal(
    (await refusal(calls.CreateContainer({ container_id, OCI: sleeper }))).code,
    Code.internal,
    "still taken",
  );
  const next = refusal(calls.RemoveContainer({ container_id }));
  t.notOk(existsSync(gate));
  writeFileSync(gate, "");
  t.same(await next, fine);
  t.ok(await eventually(() => JSON.stringify(agent.traces()) === JSON.stringify(before)));
});

// agent-api 3.37
test("PauseContainer and ResumeContainer again are refused by the state (3.15)", needsRoot, async (t) => {
  const container_id = await agent.create("paused", { args: ["sleep", "1000"] });
  t.equal((await refusal(calls.ResumeContainer({ container_id }))).code, Code.internal, "it is not paused");
  for (let round = 0; round < 2; round++) {
    t.same(await refusal(calls.PauseContainer({ container_id })), fine);
    t.equal((await refusal(calls.PauseContainer({ container_id }))).code, Code.internal);
    t.same(await refusal(calls.ResumeContainer({ container_id })), fine);
    t.equal((await refusal(calls.ResumeContainer({ container_id }))).code, Code.internal);
    if (round === 0) await calls.StartContainer({ container_id });
  }
  await calls.PauseContainer({ container_id });
  t.same(await refusal(calls.RemoveContainer({ container_id })), fine, "a paused one can be removed");
});

test("the pid namespace of a pod whose first process has gone cannot be joined, and says so (3.3.4)", async (t) => {
  const pause = agent.id("first");
  await calls.CreateContainer({ container_id: pause, OCI: sleeper, sandbox_pidns: true });
  await calls.StartContainer({ container_id: pause });
  await calls.SignalProcess({ container_id: pause, signal: 9 });
  await calls.WaitProcess({ container_id: pause });
  const before = agent.traces();
  const late = { container_id: agent.id("late"), OCI: sleeper, sandbox_pidns: true };
  const { code, message } = await refusal(calls.CreateContainer(late));
  t.equal(code, Code.internal);
  t.match(message, /pid namespace/);
  t.same(agent.traces(), before);
  await calls.RemoveContainer({ container_id: pause });
});

// agent-api 3.37
test("DestroySandbox again succeeds", async (t) => {
  const answers = await Promise.all([1, 2].map(() => refusal(calls.DestroySandbox({}))));
  t.same(answers, [fine, fine]);
  t.match(await agent.ended, { code: 0 });
});
