import { constants, mkdirSync, writeFileSync } from "node:fs";
import t from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { DeadShare, noDeadShare } from "../fakes/dead-share.ts";
import { refusal, startAgent } from "../fakes/real-agent.ts";

const share = "/run/kata-containers/shared/containers";
const dead = `${share}/dead`;
const terminationLog = "io.kubernetes.container.terminationMessagePath";

/** Many calls of one kind; each gets its number. */
function many<T>(count: number, call: (serial: number) => T): T[] {
  return Array.from({ length: count }, (_none, serial) => call(serial));
}

// agent-api 10.2: health answers within seconds under any load, RemoveContainer finishes even when mounts are busy.
t.test("32 calls that hang on a dead share hold up nobody else", { skip: noDeadShare }, async (t) => {
  const agent = await startAgent();
  t.teardown(() => agent[Symbol.asyncDispose]());
  const { calls } = agent;
  await calls.CreateSandbox({ sandbox_id: "dead", hostname: "dead" });
  mkdirSync(agent.path(`${share}/watchable`), { recursive: true });
  mkdirSync(agent.path(dead), { recursive: true });
  writeFileSync(agent.path(`${dead}/log`), "");
  const reporter = agent.id("reporter");
  const spec = specOf(agent.root, { args: ["sleep", "1000"] });
  const log = { destination: "/log", source: `${dead}/log`, type: "bind", options: ["rbind"] };
  const OCI = {
    ...spec,
    Mounts: [...(spec.Mounts ?? []), log],
    Annotations: new Map([[terminationLog, "/log"]]),
  };
  await calls.CreateContainer({ container_id: reporter, OCI });
  await calls.StartContainer({ container_id: reporter });
  await using _dead = await DeadShare.mount(agent.pid, dead);

  const create = (name: string, root: string, storages: object[] = []) =>
    calls.CreateContainer({
      container_id: agent.id(name),
      OCI: specOf(root, { args: ["true"] }),
      storages: storages as never,
    });
  const hanging = [
    ...many(8, (n) => create(`on-it-${n}`, `${dead}/${n}`)),
    ...many(3, (n) =>
      create(`local-${n}`, agent.root, [{ driver: "local", mount_point: `${dead}/volume-${n}` }]),
    ),
    ...many(3, (n) => {
      const watchable = { driver: "watchable-bind", source: `${dead}/map-${n}` };
      return create(`watch-${n}`, agent.root, [{ ...watchable, mount_point: `${share}/watchable/${n}` }]);
    }),
    ...many(6, (n) =>
      calls.CopyFile({
        path: `${dead}/file-${n}`,
        file_mode: constants.S_IFREG | 0o644,
        data: Buffer.alloc(0),
      }),
    ),
    ...many(3, () => calls.RemoveStaleVirtiofsShareMounts({})),
    ...many(5, (n) => calls.GetVolumeStats({ volume_guest_path: `${dead}/volume-${n}` })),
    ...many(4, () => calls.GetDiagnosticData({ log_type: "termination_log", container_id: reporter })),
  ];
  t.equal(hanging.length, 32);
  const answers = hanging.map(refusal);

  for (const name of ["first", "second"]) {
    const id = await agent.run(name, { args: ["cat"] });
    await agent.exec(id, "beside", { args: ["echo", "beside"] });
    t.equal(`${await agent.readAll(id, "beside")}`, "beside\n");
    t.equal((await calls.WaitProcess({ container_id: id, exec_id: "beside" })).status, 0);
    t.equal((await calls.Check({})).status, 1);
    await agent.remove(id);
  }
  const told = await Promise.any(
    answers.map(async (answer) => {
      const { code, message } = await answer;
      if (code === 0) throw new Error("this one has a limit of its own");
      return { code, message };
    }),
  );
  t.equal(told.code, Code.internal, "who has no turn is told");
  t.match(told.message, /ETIMEDOUT: .*does not answer/);
  t.equal((await calls.Check({})).status, 1);
  await agent.remove(await agent.run("third", { args: ["true"] }));

  await calls.DestroySandbox({});
  t.same(await agent.ended, { code: 0, signal: null }, "the end of the sandbox is the end of the agent");
  await Promise.all(answers);
});
