/** What agent-api 3.6 to 3.12 and 6 say of processes, line by line, as far as no other file holds it. */
import { readFileSync } from "node:fs";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { specOf } from "../fakes/container-spec.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
await calls.CreateSandbox({ sandbox_id: "processes", hostname: "processes" });
const host = await agent.run("host", { args: ["sleep", "1000"] });
const shell = (script: string) => ({ args: ["sh", "-c", script] });

/** Runs a script to its end; answers what it said, trimmed. */
async function said(
  container_id: string,
  exec_id: string,
  script: string,
  terminal = false,
): Promise<string> {
  await agent.exec(container_id, exec_id, { ...shell(script), terminal });
  const output = `${await agent.readAll(container_id, exec_id)}`.trim();
  await calls.WaitProcess({ container_id, exec_id });
  return output;
}

test(
  "an exec has its own section only, and the container's seccomp (agent-api 3.6)",
  needsRoot,
  async (t) => {
    const spec = specOf(agent.root, { args: ["sleep", "1000"], env: ["OF_INIT=1"] });
    const container_id = agent.id("strict");
    const Process = {
      ...spec.Process,
      NoNewPrivileges: true,
      Rlimits: [{ Type: "RLIMIT_CORE", Soft: 4096n, Hard: 4096n }],
    };
    const Syscalls = [{ Names: ["sethostname"], Action: "SCMP_ACT_ERRNO", Args: [] }];
    const Seccomp = {
      DefaultAction: "SCMP_ACT_ALLOW",
      Architectures: ["SCMP_ARCH_X86_64"],
      Flags: [],
      Syscalls,
    };
    const OCI = { ...spec, Process, Linux: { ...spec.Linux, Seccomp } };
    await calls.CreateContainer({ container_id, OCI });
    await calls.StartContainer({ container_id });
    const script = "env; grep -E 'NoNewPrivs|^Seccomp:' /proc/self/status; ulimit -c";
    const lines = (await said(container_id, "look", script)).split("\n");
    t.notOk(
      lines.some((line) => line.startsWith("OF_INIT")),
      "no environment of the container",
    );
    t.ok(lines.includes("NoNewPrivs:\t0"), "no implicit no_new_privs");
    t.ok(lines.includes("Seccomp:\t2"), "the seccomp filter of the container");
    t.not(lines.at(-1), "8", "no limits of the container");
    await agent.remove(container_id);
  },
);

test("every process has a session and a group apart from the agent's and all others (agent-api 3.3.10 step 15)", async (t) => {
  for (const [exec_id, terminal] of [
    ["pipes-1", false],
    ["pipes-2", false],
    ["screen", true],
  ] as const) {
    await agent.exec(host, exec_id, { args: ["sleep", "1000"], terminal });
  }
  const children = readFileSync(`/proc/${agent.pid}/task/${agent.pid}/children`, "utf8").split(" ");
  const all = [`${agent.pid}`, ...children.filter(Boolean)].map((pid) => {
    const [, , group, session] = (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "").split(" ");
    return { group, session };
  });
  t.equal(all.length, 5, "the agent, init and three more");
  t.equal(new Set(all.map(({ group }) => group)).size, 5);
  t.equal(new Set(all.map(({ session }) => session)).size, 5);
  // What a group is sent must not leave the container.
  await agent.exec(host, "kills", shell("kill -9 0"));
  t.equal((await calls.WaitProcess({ container_id: host, exec_id: "kills" })).status, 137);
  for (const exec_id of ["pipes-1", "pipes-2", "screen"]) {
    await calls.SignalProcess({ container_id: host, exec_id, signal: 15 });
    t.equal((await calls.WaitProcess({ container_id: host, exec_id })).status, 143, `${exec_id} was alive`);
  }
});

test("no signal is ignored or blocked in a new process, not even SIGPIPE (agent-api 6.4)", async (t) => {
  await agent.exec(host, "masks", { args: ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"] });
  const masks = `${await agent.readAll(host, "masks")}`.trim();
  await calls.WaitProcess({ container_id: host, exec_id: "masks" });
  t.match(masks, /SigBlk:\t0+\nSigIgn:\t0+$/);
  const status = readFileSync(`/proc/${agent.pid}/status`, "utf8");
  const ignored = BigInt(`0x${/^SigIgn:\t(\w+)$/m.exec(status)?.[1]}`);
  t.ok((ignored & (1n << 12n)) !== 0n, "the agent itself does ignore it");
});

test("signal 0 is passed on and hits nobody (agent-api 3.7)", async (t) => {
  await agent.exec(host, "probed", shell("read go; exit 4"));
  for (const exec_id of ["", host, "probed"]) {
    t.same(await refusal(calls.SignalProcess({ container_id: host, exec_id, signal: 0 })), {
      code: 0,
      message: "",
    });
  }
  await calls.WriteStdin({ container_id: host, exec_id: "probed", data: Buffer.from("\n") });
  t.equal((await calls.WaitProcess({ container_id: host, exec_id: "probed" })).status, 4);
});

test("SIGKILL to all reaches a container that is paused (agent-api 3.7)", needsRoot, async (t) => {
  const id = await agent.run("paused", shell("sleep 1000 & sleep 1000"));
  await agent.exec(id, "aside", shell("sleep 1000"));
  await calls.PauseContainer({ container_id: id });
  await calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 });
  t.equal((await calls.WaitProcess({ container_id: id, exec_id: "aside" })).status, 137);
  t.equal((await calls.WaitProcess({ container_id: id })).status, 137);
  await calls.RemoveContainer({ container_id: id });
});

test("SIGTERM is made stronger for init only (agent-api 3.7)", async (t) => {
  await agent.exec(host, "other", { args: ["sleep", "1000"] });
  await calls.SignalProcess({ container_id: host, exec_id: "other", signal: 15 });
  t.equal((await calls.WaitProcess({ container_id: host, exec_id: "other" })).status, 143);
});

test("a wait takes the record with it, for signals, waits, sizes and reads (agent-api 3.8)", async (t) => {
  await agent.exec(host, "gone", { args: ["true"], terminal: true });
  const process = { container_id: host, exec_id: "gone" };
  await agent.readAll(host, "gone");
  await calls.WaitProcess(process);
  const after = [
    calls.SignalProcess({ ...process, signal: 15 }),
    calls.WaitProcess(process),
    calls.TtyWinResize({ ...process, row: 1, column: 1 }),
    calls.ReadStdout({ ...process, len: 1 }),
    calls.CloseStdin(process),
  ].map(refusal);
  t.same(
    (await Promise.all(after)).map(({ code }) => code),
    Array(5).fill(Code.notFound),
  );
  t.equal(await said(host, "gone", "echo again"), "again", "its id is free");
});

test("a process that nobody waits for keeps record and output until the removal (agent-api 3.8)", async (t) => {
  const id = await agent.run("unwaited", { args: ["sleep", "1000"] });
  await agent.exec(id, "left", shell("echo kept; exit 8"));
  t.ok(await eventually(() => agent.children() === 2), "it has ended");
  const again = await refusal(agent.exec(id, "left", { args: ["true"] }));
  t.match(again, { code: Code.internal, message: /in use/ });
  t.equal(`${await agent.readAll(id, "left")}`, "kept\n");
  t.equal((await calls.WaitProcess({ container_id: id, exec_id: "left" })).status, 8);
  await agent.remove(id);
});

test("a write to a process that has closed its input is told EPIPE (agent-api 3.9)", async (t) => {
  const exec_id = "deaf";
  await agent.exec(host, exec_id, shell("exec 0<&-; echo closed; sleep 1000"));
  t.equal(await agent.readText(host, 7, exec_id), "closed\n");
  const process = { container_id: host, exec_id };
  const told = await refusal(calls.WriteStdin({ ...process, data: Buffer.from("x") }));
  t.match(told, { code: Code.internal, message: /EPIPE/ });
  await calls.SignalProcess({ ...process, signal: 9 });
  await calls.WaitProcess(process);
});

test("an input that was closed takes nothing more, and closing it again is fine (agent-api 3.9, 3.11)", async (t) => {
  const process = { container_id: host, exec_id: "closed" };
  await agent.exec(host, "closed", shell("cat; sleep 1000"));
  await calls.CloseStdin(process);
  await calls.CloseStdin(process);
  t.match(await refusal(calls.WriteStdin({ ...process, data: Buffer.from("x") })), { code: Code.internal });
  await calls.SignalProcess({ ...process, signal: 9 });
  await calls.WaitProcess(process);
});

test("stderr of a process with a terminal is the terminal, and its end is no error (agent-api 3.10)", async (t) => {
  await agent.exec(host, "screen", { ...shell("echo out; echo err >&2"), terminal: true });
  t.equal(`${await agent.readAll(host, "screen", "Stderr")}`, "out\r\nerr\r\n");
  t.equal((await calls.ReadStdout({ container_id: host, exec_id: "screen", len: 9 })).data.length, 0);
  await calls.WaitProcess({ container_id: host, exec_id: "screen" });
});

test("a grandchild that keeps a terminal open holds up neither wait nor read (agent-api 3.8, 3.10)", async (t) => {
  const script = "(trap '' HUP; exec setsid sleep 1000) & echo said; exit 4";
  await agent.exec(host, "parent", { ...shell(script), terminal: true });
  const process = { container_id: host, exec_id: "parent" };
  const early = agent.readAll(host, "parent");
  t.equal(`${await early}`, "said\r\n");
  t.equal(
    (await calls.ReadStdout({ ...process, len: 9 })).data.length,
    0,
    "a read that begins after the exit",
  );
  t.equal((await calls.WaitProcess(process)).status, 4);
});

test("a grandchild that goes on writing keeps no read for ever (agent-api 3.10)", async (t) => {
  await agent.exec(host, "noisy", shell("echo first; while :; do echo noise; done & exit 4"));
  const process = { container_id: host, exec_id: "noisy" };
  t.match(`${await agent.readAll(host, "noisy")}`, /^first\n/);
  t.equal((await calls.WaitProcess(process)).status, 4);
});

test("no read brings more than 1 MiB, whatever is asked for (agent-api 3.10, 10.3)", async (t) => {
  await agent.exec(host, "huge", { args: ["head", "-c", "3000000", "/dev/zero"] });
  const process = { container_id: host, exec_id: "huge" };
  let bytes = 0;
  for (let got = -1; got !== 0; bytes += got) {
    got = (await calls.ReadStdout({ ...process, len: 0xffff_ffff })).data.length;
    if (got > 1024 * 1024) t.fail(`${got} bytes at once`);
  }
  t.equal(bytes, 3_000_000);
  await calls.WaitProcess(process);
});

test("a process without a terminal has no size (agent-api 3.12)", async (t) => {
  const told = await refusal(calls.TtyWinResize({ container_id: host, row: 1, column: 1 }));
  t.equal(told.code, Code.unavailable);
});

test(
  "orphans go to the first process of their namespace, and no zombie stays with the agent (agent-api 6.2, 6.3)",
  needsRoot,
  async (t) => {
    const before = agent.children();
    const pause = agent.id("reaps");
    const reaper = "trap : CHLD; while :; do wait; sleep 0.05; done";
    await calls.CreateContainer({
      container_id: pause,
      OCI: specOf(agent.root, shell(reaper)),
      sandbox_pidns: true,
    });
    await calls.StartContainer({ container_id: pause });
    const id = agent.id("orphans");
    await calls.CreateContainer({
      container_id: id,
      OCI: specOf(agent.root, shell("for i in 1 2 3; do (sleep 0.01 & exit) & done; wait; exit 6")),
      sandbox_pidns: true,
    });
    await calls.StartContainer({ container_id: id });
    t.equal((await calls.WaitProcess({ container_id: id })).status, 6);
    t.ok(
      await eventually(() => agent.children() === before + 1),
      "of all these only the pause process is the agent's",
    );
    await calls.RemoveContainer({ container_id: id });
    await agent.remove(pause);
  },
);

test("a size of output pipes that the kernel refuses fails nothing (agent-api 6.8)", async (t) => {
  const other = await startAgent({ config: "container_pipe_size = 2147483647" });
  t.teardown(() => other[Symbol.asyncDispose]());
  const id = await other.run("sized", { args: ["echo", "fine"] });
  t.equal(`${await other.readAll(id)}`, "fine\n");
  t.ok(other.logLines.some(({ msg }) => msg?.includes("container_pipe_size is refused")));
  await other.remove(id);
});
