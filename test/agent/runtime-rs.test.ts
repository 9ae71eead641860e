/**
 * What runtime-rs of Kata 4.1 sends, in its order and with its fields (agent-api 3.0; image-and-runtime 4.6): an empty
 * exec id for init, an empty write in place of CloseStdin, no DestroySandbox.
 */
import t, { type Test } from "tap";
import { Code } from "../../src/base/code.ts";
import { processOf, specOf } from "../fakes/container-spec.ts";
import { eventually, type Methods, refusal, startAgent } from "../fakes/real-agent.ts";
import { attach } from "../fakes/replay.ts";

/** Texts by which it knows that a process has gone (agent-api 0.4). */
const gone = /no such process|process not found|init process not found|cannot find init process/i;

/** A signal to what may have ended: success, or one of the words that count as success. */
async function kill(
  t: Test,
  calls: Methods,
  container_id: string,
  exec_id: string,
  signal: number,
): Promise<void> {
  const { code, message } = await refusal(calls.SignalProcess({ container_id, exec_id, signal }));
  t.ok(code === 0 || code === Code.notFound || gone.test(message), `signal ${signal}: ${code} ${message}`);
}

for (const protocol of ["ttRPC", "gRPC"] as const) {
  // agent-api 0.4
  t.test(`a pod of runtime-rs by ${protocol}`, async (t) => {
    const agent = await startAgent();
    t.teardown(() => agent[Symbol.asyncDispose]());
    const calls = protocol === "ttRPC" ? agent.calls : await agent.connectGrpc();
    const before = agent.traces();
    // There is no first Check; the network comes first, and is asked for ten times.
    const absent = { device: "eth0", name: "eth0", hwAddr: "02:00:ca:fe:00:02" };
    t.not((await refusal(calls.UpdateInterface({ interface: absent }))).code, 0);
    await calls.AddARPNeighbors({ neighbors: { ARPNeighbors: [] } });
    await calls.UpdateRoutes({ routes: { Routes: [] } });
    await calls.CreateSandbox({ hostname: "rs", dns: [], sandbox_pidns: false, sandbox_id: agent.id("pod") });
    await calls.GetGuestDetails({ mem_block_size: true, mem_hotplug_probe: true });
    const oom = refusal(calls.GetOOMEvent({}));
    t.ok((await calls.Version({})).agent_version);

    const container_id = agent.id("app");
    await calls.OnlineCPUMem({ wait: false, nb_cpus: 0, cpu_only: false });
    const OCI = specOf(agent.root, { args: ["sh", "-c", "wc -c; exit 4"] });
    await calls.CreateContainer({ container_id, exec_id: "", OCI });
    await calls.StartContainer({ container_id });
    const app = attach(calls, container_id, "");
    const shell = "exec-1";
    const process = processOf({ args: ["sh", "-c", "read line; stty size; exit 2"], terminal: true });
    await calls.ExecProcess({ container_id, exec_id: shell, process });
    await calls.TtyWinResize({ container_id, exec_id: shell, row: 25, column: 81 });
    const screen = attach(calls, container_id, shell, true);
    await calls.WriteStdin({ container_id, exec_id: shell, data: Buffer.from("\n") });
    t.equal(
      (await calls.WriteStdin({ container_id, exec_id: shell })).len,
      0,
      "the end of a terminal's input",
    );
    t.match(await screen, { stdout: /25 81/, status: 2 });
    await kill(t, calls, container_id, shell, 9);

    await calls.WriteStdin({ container_id, exec_id: "", data: Buffer.from("four") });
    t.equal((await calls.WriteStdin({ container_id, exec_id: "" })).len, 0, "an empty write ends the input");
    t.same(await app, { stdout: "4\n", stderr: "", status: 4 });
    await kill(t, calls, container_id, "", 15);
    await kill(t, calls, container_id, "", 9);
    await calls.RemoveContainer({ container_id });
    await calls.OnlineCPUMem({ wait: false, nb_cpus: 0, cpu_only: false });

    const loose = agent.id("loose");
    await calls.CreateContainer({
      container_id: loose,
      exec_id: "",
      OCI: specOf(agent.root, { args: ["sleep", "1000"] }),
    });
    await calls.StartContainer({ container_id: loose });
    await kill(t, calls, loose, "", 9);
    await kill(t, calls, loose, "nobody", 9);
    t.equal((await calls.WaitProcess({ container_id: loose, exec_id: "" })).status, 137);
    await calls.RemoveContainer({ container_id: loose });
    t.ok(await eventually(() => agent.children() === 0));
    t.same(agent.traces().groups, before.groups);
    // It ends the machine without a word, with the wait for events still open.
    t.equal(await Promise.race([oom, calls.Check({}).then(() => "serving")]), "serving");
  });
}
