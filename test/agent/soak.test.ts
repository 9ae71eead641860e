/** Many lives, and nothing of them left: some here, 500 by `make soak` (SOAK_CYCLES). */
import t, { type Test } from "tap";
import { eventually, startAgent } from "../fakes/real-agent.ts";

const { SOAK_CYCLES = "30" } = process.env;
const cycles = Number(SOAK_CYCLES);
/** Each kind of life before the count begins, since what is made once, such as crun's folder of states, stays. */
const warmUp = 4;

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
await calls.CreateSandbox({ sandbox_id: "soak", hostname: "soak" });

/** One life: a container with two execs, one of which leaves a child that holds its output, and an end by SIGKILL. */
async function live(t: Test, serial: number): Promise<void> {
  const id = await agent.run(`cycle-${serial}`, { args: ["sleep", "1000"], terminal: serial % 2 === 1 });
  const terminal = serial % 4 >= 2;
  await agent.exec(id, "talks", { args: ["echo", `${serial}`], terminal });
  await agent.exec(id, "leaves", { args: ["sh", "-c", "sleep 1000 & exit 3"] });
  const said = `${await agent.readAll(id, "talks")}`.trim();
  const ended = [];
  for (const exec_id of ["talks", "leaves"]) {
    ended.push((await calls.WaitProcess({ container_id: id, exec_id })).status);
  }
  if (said !== `${serial}` || ended.join() !== "0,3") t.fail(`life ${serial}: ${said} ${ended}`);
  await agent.remove(id);
}

t.test(`${cycles} lives leave no mount, group, descriptor, process or folder behind`, async (t) => {
  for (let serial = 0; serial < warmUp; serial += 1) await live(t, serial);
  await eventually(() => agent.children() === 0);
  const before = agent.traces();
  for (let serial = 0; serial < cycles; serial += 1) await live(t, serial);
  let after = agent.traces();
  await eventually(() => {
    after = agent.traces();
    return JSON.stringify(after) === JSON.stringify(before);
  });
  t.same(after, before);
});
