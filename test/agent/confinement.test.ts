/** What a request must not reach, whatever it names (agent-api 10.1, 10.3), on the real agent. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const base = "/run/kata-containers";

test(
  "CreateSandbox empties its folder, but nothing through a mount (agent-api 3.1 step 1, 10.3)",
  needsRoot,
  async (t) => {
    const host = join(agent.folder, "host");
    mkdirSync(host);
    writeFileSync(join(host, "data"), "the host's");
    mkdirSync(agent.path(`${base}/old/folder`), { recursive: true });
    mkdirSync(agent.path(`${base}/shared/containers`), { recursive: true });
    writeFileSync(agent.path(`${base}/shared/beside`), "");
    const world = `/proc/${agent.pid}/ns/mnt`;
    if (readlinkSync(world) === readlinkSync("/proc/self/ns/mnt"))
      throw new Error("not in a world of its own");
    const target = `${base}/shared/containers`;
    execFileSync("nsenter", [`--mount=${world}`, "mount", "--bind", host, target]);
    await calls.CreateSandbox({ sandbox_id: "confined", hostname: "confined-pod" });
    t.ok(existsSync(join(host, "data")));
    t.ok(existsSync(agent.path(`${target}/data`)), "it is still mounted");
    t.ok(existsSync(agent.path(`${base}/shared/beside`)), "what holds a mount is not begun to be deleted");
    t.notOk(existsSync(agent.path(`${base}/old`)));
  },
);

test("no namespace is joined by a path of the host's (agent-api 10.1, namespaces)", needsRoot, async (t) => {
  const types = ["mount", "pid", "ipc", "uts", "cgroup", "network"];
  const names = ["mnt", "pid", "ipc", "uts"];
  const path = (type: string) => `/proc/1/ns/${type === "mount" ? "mnt" : type === "network" ? "net" : type}`;
  const script = names.map((name) => `readlink /proc/self/ns/${name}`).join(";");
  const spec = specOf(agent.root, { args: ["sh", "-c", script] });
  const Namespaces = types.map((Type) => ({ Type, Path: path(Type) }));
  const container_id = agent.id("named");
  await calls.CreateContainer({ container_id, OCI: { ...spec, Linux: { ...spec.Linux, Namespaces } } });
  await calls.StartContainer({ container_id });
  const seen = `${await agent.readAll(container_id)}`.trim().split("\n");
  t.equal(seen.length, names.length);
  for (const [index, name] of names.entries())
    t.not(seen[index], readlinkSync(`/proc/${agent.pid}/ns/${name}`), name);
  await agent.remove(container_id);
});

test("no working directory leads out of the root file system (agent-api 10.1, cwd)", async (t) => {
  const container_id = await agent.run("inside", { args: ["sleep", "1000"] });
  for (let descriptor = 3; descriptor < 16; descriptor += 1) {
    const cwd = `/proc/self/fd/${descriptor}`;
    const OCI = specOf(agent.root, { args: ["pwd"], cwd });
    const created = await refusal(calls.CreateContainer({ container_id: agent.id("outside"), OCI }));
    t.equal(created.code, Code.internal, cwd);
    const process = processOf({ args: ["pwd"], cwd });
    const executed = await refusal(calls.ExecProcess({ container_id, exec_id: "outside", process }));
    t.equal(executed.code, Code.internal, cwd);
  }
  await agent.exec(container_id, "climbs", { args: ["pwd"], cwd: "/../../.." });
  t.equal(`${await agent.readAll(container_id, "climbs")}`, "/\n");
  await agent.remove(container_id);
});
