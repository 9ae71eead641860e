import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { processOf } from "../fakes/container-spec.ts";
import { refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const { internal, invalidArgument, notFound, unavailable } = Code;

// agent-api 0.3
test("an unknown container is told with the code that callers look for", async (t) => {
  const container_id = "nobody";
  const cases = {
    StartContainer: [refusal(calls.StartContainer({ container_id })), internal],
    RemoveContainer: [refusal(calls.RemoveContainer({ container_id })), internal],
    ExecProcess: [
      refusal(calls.ExecProcess({ container_id, exec_id: "one", process: processOf({ args: ["true"] }) })),
      internal,
    ],
    WriteStdin: [refusal(calls.WriteStdin({ container_id, data: Buffer.from("x") })), internal],
    "SignalProcess with SIGKILL": [refusal(calls.SignalProcess({ container_id, signal: 9 })), internal],
    SignalProcess: [refusal(calls.SignalProcess({ container_id, signal: 15 })), invalidArgument],
    "SignalProcess of an exec": [
      refusal(calls.SignalProcess({ container_id, exec_id: "e1", signal: 9 })),
      invalidArgument,
    ],
    WaitProcess: [refusal(calls.WaitProcess({ container_id })), invalidArgument],
    ReadStdout: [refusal(calls.ReadStdout({ container_id, len: 1 })), invalidArgument],
    ReadStderr: [refusal(calls.ReadStderr({ container_id, len: 1 })), invalidArgument],
    CloseStdin: [refusal(calls.CloseStdin({ container_id })), invalidArgument],
    TtyWinResize: [refusal(calls.TtyWinResize({ container_id, row: 1, column: 1 })), invalidArgument],
    StatsContainer: [refusal(calls.StatsContainer({ container_id })), invalidArgument],
    UpdateContainer: [refusal(calls.UpdateContainer({ container_id, resources: {} })), invalidArgument],
    PauseContainer: [refusal(calls.PauseContainer({ container_id })), invalidArgument],
    ResumeContainer: [refusal(calls.ResumeContainer({ container_id })), invalidArgument],
  } as const;
  for (const [name, [call, code]] of Object.entries(cases)) {
    const refused = await call;
    t.equal(refused.code, code, name);
    t.notMatch(refused.message, /\n|\.ts\b/, name);
  }
});

// agent-api 0.3, 0.4
test("an unknown process is told with the code and words that callers look for", async (t) => {
  const id = await agent.run("known", { args: ["sleep", "1000"] });
  const of = { container_id: id, exec_id: "stranger" };
  const cases = {
    SignalProcess: [refusal(calls.SignalProcess({ ...of, signal: 15 })), notFound],
    WaitProcess: [refusal(calls.WaitProcess(of)), notFound],
    ReadStdout: [refusal(calls.ReadStdout({ ...of, len: 1 })), notFound],
    ReadStderr: [refusal(calls.ReadStderr({ ...of, len: 1 })), notFound],
    CloseStdin: [refusal(calls.CloseStdin(of)), notFound],
    TtyWinResize: [refusal(calls.TtyWinResize({ ...of, row: 1, column: 1 })), notFound],
    WriteStdin: [refusal(calls.WriteStdin({ ...of, data: Buffer.from("x") })), internal],
  } as const;
  for (const [name, [call, code]] of Object.entries(cases)) {
    const refused = await call;
    t.equal(refused.code, code, name);
    t.match(refused.message.toLowerCase(), /process not found/, name);
  }
  t.equal((await refusal(calls.TtyWinResize({ container_id: id, row: 1, column: 1 }))).code, unavailable);
  t.equal((await refusal(calls.SignalProcess({ container_id: id, signal: 65 }))).code, internal);
  t.equal(
    (await refusal(calls.SignalProcess({ container_id: id, signal: 0 }))).code,
    0,
    "signal 0 asks only",
  );
  await agent.remove(id);
});

// agent-api 0.4
test("a process that has ended takes signals until it has been waited for", async (t) => {
  const id = await agent.run("over", { args: ["true"] });
  await agent.readAll(id);
  for (const signal of [9, 15]) {
    t.equal((await refusal(calls.SignalProcess({ container_id: id, exec_id: id, signal }))).code, 0);
  }
  t.equal((await calls.WaitProcess({ container_id: id })).status, 0);
  const { code, message } = await refusal(calls.SignalProcess({ container_id: id, exec_id: id, signal: 15 }));
  t.equal(code, notFound);
  t.match(message.toLowerCase(), /process not found/);
  t.equal(
    (await refusal(calls.SignalProcess({ container_id: id, signal: 9 }))).code,
    0,
    "the shim's last SIGKILL",
  );
  await calls.RemoveContainer({ container_id: id });
});

// agent-api 0.4, 10.1
test("an exec that cannot be says what is missing and leaves its id free", async (t) => {
  const id = await agent.run("execs", { args: ["sleep", "1000"] });
  const missing = await refusal(agent.exec(id, "p1", { args: ["no-such-program"] }));
  t.equal(missing.code, internal);
  t.match(missing.message, /not found/);
  t.equal((await refusal(agent.exec(id, "p1", { args: ["/no/such/program"] }))).code, internal);
  t.equal(
    (await refusal(agent.exec(id, "p1", { args: ["no-such-program"], terminal: true }))).code,
    internal,
  );
  t.equal((await refusal(calls.ExecProcess({ container_id: id, exec_id: "p1" }))).code, internal);
  t.equal((await refusal(agent.exec(id, "p1", { args: [] }))).code, internal);
  t.equal((await refusal(agent.exec(id, "p1", { args: ["true"], env: ["=x"] }))).code, internal);
  for (const bad of ["", "../up", "a/b", "x"]) {
    t.equal((await refusal(agent.exec(id, bad, { args: ["true"] }))).code, internal, `exec id "${bad}"`);
  }
  await agent.exec(id, "p1", { args: ["sleep", "1000"] });
  t.equal((await refusal(agent.exec(id, "p1", { args: ["true"] }))).code, internal, "in use");
  t.equal((await refusal(agent.exec(id, id, { args: ["true"] }))).code, internal, "that is init's");
  await calls.SignalProcess({ container_id: id, exec_id: "p1", signal: 9 });
  await calls.WaitProcess({ container_id: id, exec_id: "p1" });
  await agent.exec(id, "p1", { args: ["echo", "again"] });
  t.equal(`${await agent.readAll(id, "p1")}`, "again\n");
  await agent.remove(id);
});

test("an exec without capabilities has those of the container", async (t) => {
  const id = await agent.run("caps", { args: ["sleep", "1000"] });
  const process = {
    ...processOf({ args: ["grep", "CapEff", "/proc/self/status"] }),
    Capabilities: undefined,
  };
  await calls.ExecProcess({ container_id: id, exec_id: "plain", process });
  await agent.exec(id, "named", { args: ["grep", "CapEff", "/proc/self/status"] });
  t.equal(`${await agent.readAll(id, "plain")}`, `${await agent.readAll(id, "named")}`);
  await agent.remove(id);
});

test("environment and arguments reach the program byte for byte", async (t) => {
  const env = ["EMPTY=", "SPACES=  a  b ", "EQUALS=a=b=c", "LINES=one\ntwo", "UMLAUT=äöü€", 'QUOTE="\\'];
  const id = await agent.run("exact", { args: ["env", "-0"], env });
  const seen = `${await agent.readAll(id)}`.split("\0");
  for (const entry of env) t.ok(seen.includes(entry), JSON.stringify(entry));
  await calls.WaitProcess({ container_id: id });
  await calls.RemoveContainer({ container_id: id });
});

test("a removed container is unknown", async (t) => {
  const id = await agent.run("gone", { args: ["true"] });
  await agent.remove(id);
  t.equal((await refusal(calls.RemoveContainer({ container_id: id }))).code, internal);
  t.equal((await refusal(calls.WaitProcess({ container_id: id }))).code, invalidArgument);
});
