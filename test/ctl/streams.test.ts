import t from "tap";

const { test } = t;

import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import { FakeTerminalInput, runAgentctl } from "../fakes/fake-host.ts";
import { type Behaviour, type RecordingAgent, startRecordingAgent } from "../fakes/recording-agent.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A process that writes these pieces, then waits for the end of its input, and ends. */
function processWith(
  stdout: string[],
  stderr: string[],
  status: number,
): Behaviour & { readonly input: string[] } {
  const inputEnded = Promise.withResolvers<void>();
  const input: string[] = [];
  const next = async (pieces: string[]) => {
    const piece = pieces.shift();
    if (piece === undefined) await inputEnded.promise;
    return { data: bytes(piece ?? "") };
  };
  return {
    input,
    ReadStdout: () => next(stdout),
    ReadStderr: () => next(stderr),
    WriteStdin: async ({ data }) => {
      input.push(Buffer.from(data).toString());
      return { len: data.length };
    },
    CloseStdin: async () => {
      inputEnded.resolve();
      return {};
    },
    WaitProcess: async () => ({ status }),
  };
}

const names = (agent: RecordingAgent, without: readonly string[] = []) =>
  agent.calls.map(({ name }) => name).filter((name) => !without.includes(name));

test("run plays the life of a container in the order of the Go shim and ends with its status", async (t) => {
  const guest = processWith(["out 1\n", "out 2\n"], ["err\n"], 42);
  await using agent = await startRecordingAgent(guest);
  const ended = await runAgentctl([
    "--addr",
    agent.address,
    "run",
    "--id",
    "web",
    "/srv/root",
    "app",
    "--flag",
  ]);
  t.same(ended, { status: 42, stdout: "out 1\nout 2\n", stderr: "err\n" });
  t.same(names(agent, ["ReadStdout", "ReadStderr", "CloseStdin"]), [
    "CreateContainer",
    "StartContainer",
    "WaitProcess",
    "SignalProcess",
    "WaitProcess",
    "RemoveContainer",
  ]);
  const [create] = agent.calls;
  t.match(create?.request, {
    exec_id: "web",
    OCI: { Process: { Args: ["app", "--flag"] }, Root: { Path: "/srv/root" } },
  });
  t.match(agent.calls.find(({ name }) => name === "SignalProcess")?.request, { exec_id: "", signal: 9 });
  t.match(agent.calls.find(({ name }) => name === "ReadStdout")?.request, { exec_id: "web", len: 32768 });
});

test("WaitProcess is sent only when both outputs have ended", async (t) => {
  await using agent = await startRecordingAgent(processWith(["a"], ["b", "c"], 0));
  await runAgentctl(["--addr", agent.address, "run", "/srv/root", "app"]);
  const order = names(agent);
  t.ok(
    order.indexOf("WaitProcess") > Math.max(order.lastIndexOf("ReadStdout"), order.lastIndexOf("ReadStderr")),
  );
});

test("run -i sends our input, then closes that of the process", async (t) => {
  const guest = processWith([], [], 0);
  await using agent = await startRecordingAgent(guest);
  await runAgentctl(["--addr", agent.address, "run", "-i", "/srv/root", "cat"], { stdin: "one\ntwo\n" });
  t.equal(guest.input.join(""), "one\ntwo\n");
  t.equal(names(agent).filter((name) => name === "CloseStdin").length, 1);
});

test("a process that refuses its input still ends with its own status", async (t) => {
  const refuse = () => Promise.reject(new AgentError(Code.internal, "EPIPE"));
  await using agent = await startRecordingAgent({
    WriteStdin: refuse,
    WaitProcess: async () => ({ status: 3 }),
  });
  const ended = await runAgentctl(["--addr", agent.address, "run", "-i", "/srv/root", "true"], {
    stdin: "unread",
  });
  t.same(ended, { status: 3, stdout: "", stderr: "" });
});

test("what a process takes only in part is sent again from there", async (t) => {
  const taken: string[] = [];
  await using agent = await startRecordingAgent({
    WriteStdin: async ({ data }) => {
      taken.push(Buffer.from(data.subarray(0, 3)).toString());
      return { len: Math.min(3, data.length) };
    },
  });
  await runAgentctl(["--addr", agent.address, "stdin", "web"], { stdin: "abcdefgh" });
  t.same(taken, ["abc", "def", "gh"]);
});

test("a container that was not created is not removed, one that does not start is", async (t) => {
  const fail = () => Promise.reject(new AgentError(Code.internal, "no"));
  await using first = await startRecordingAgent({ CreateContainer: fail });
  const refused = await runAgentctl(["--addr", first.address, "run", "/srv/root", "app"]);
  t.same(refused, { status: 1, stdout: "", stderr: "INTERNAL: no\n" });
  t.same(names(first), ["CreateContainer"]);
  await using second = await startRecordingAgent({ StartContainer: fail });
  t.equal((await runAgentctl(["--addr", second.address, "run", "/srv/root", "app"])).status, 1);
  t.same(names(second), [
    "CreateContainer",
    "StartContainer",
    "SignalProcess",
    "WaitProcess",
    "RemoveContainer",
  ]);
});

test("Ctrl-C during run kills and removes the container", async (t) => {
  const interrupt = new AbortController();
  const hang = () => {
    interrupt.abort(new Error("interrupted"));
    return new Promise<never>(() => {});
  };
  await using agent = await startRecordingAgent({ ReadStdout: hang });
  const ended = await runAgentctl(["--addr", agent.address, "run", "/srv/root", "app"], {
    interrupted: interrupt.signal,
  });
  t.equal(ended.status, 130);
  t.same(names(agent).slice(-3), ["SignalProcess", "WaitProcess", "RemoveContainer"]);
});

test("exec -t lends the terminal: size first, changes after, raw only meanwhile, no stderr", async (t) => {
  const stdin = new FakeTerminalInput();
  const resized = Promise.withResolvers<void>();
  let sizes = 0;
  let pieces = ["$ "];
  await using agent = await startRecordingAgent({
    TtyWinResize: async () => {
      sizes += 1;
      if (sizes === 2) resized.resolve();
      return {};
    },
    ReadStdout: async () => {
      if (pieces.length === 0) await resized.promise;
      const data = bytes(pieces.join(""));
      pieces = [];
      return { data };
    },
  });
  const ended = await runAgentctl(["--addr", agent.address, "exec", "-it", "web", "sh"], {
    stdin,
    terminal: { rows: 24, columns: 80 },
    onStdout: (_text, stdout) => {
      Object.assign(stdout, { rows: 50, columns: 132 });
      stdout.emit("resize");
    },
  });
  t.match(ended, { status: 0, stdout: "$ " });
  t.same(names(agent).slice(0, 2), ["ExecProcess", "TtyWinResize"]);
  const asked = agent.calls
    .filter(({ name }) => name === "TtyWinResize")
    .map(({ request }) => [request["row"], request["column"]]);
  t.same(asked, [
    [24, 80],
    [50, 132],
  ]);
  t.same(stdin.modes, [true, false]);
  t.notOk(names(agent).includes("ReadStderr"));
  t.match(agent.calls[0]?.request, { process: { Terminal: true, Env: [/^PATH/, "TERM=xterm"] } });
});

test("exec gives every process an id of its own, and passes its status on", async (t) => {
  await using agent = await startRecordingAgent({ WaitProcess: async () => ({ status: 9 }) });
  for (const _ of [1, 2])
    t.equal((await runAgentctl(["--addr", agent.address, "exec", "web", "ls", "-l"])).status, 9);
  const [first, second] = agent.calls
    .filter(({ name }) => name === "ExecProcess")
    .map(({ request }) => request["exec_id"]);
  t.match(first, /^[0-9a-f-]{36}$/);
  t.not(first, second);
});

test("exec takes a -- before the program, and keeps the options of the program", async (t) => {
  await using agent = await startRecordingAgent();
  await runAgentctl(["--addr", agent.address, "exec", "web", "--", "ls", "-t", "--json", "--"]);
  t.match(agent.calls[0]?.request, { process: { Args: ["ls", "-t", "--json", "--"], Terminal: false } });
});

test("exec -d prints the id and does not wait", async (t) => {
  await using agent = await startRecordingAgent();
  t.match(await runAgentctl(["--addr", agent.address, "exec", "-d", "--exec", "e1", "web", "ls"]), {
    status: 0,
    stdout: "e1\n",
  });
  t.same(names(agent), ["ExecProcess"]);
});

test("with --json output comes as lines with base64, the status last", async (t) => {
  await using agent = await startRecordingAgent(processWith(["hi"], ["oh"], 4));
  const ended = await runAgentctl(["--addr", agent.address, "--json", "exec", "--exec", "e1", "web", "ls"]);
  const lines = ended.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  t.match(
    lines.filter((line) => "stream" in line && line.stream === "stdout"),
    [{ data: "aGk=" }],
  );
  t.match(lines.at(-1), { container_id: "web", exec_id: "e1", status: 4, trace_id: /./ });
  t.equal(ended.status, 4);
});

test("stdout reads to the end and prints bytes as they are", async (t) => {
  await using agent = await startRecordingAgent(processWith(["a\u0000b", "ü"], [], 0));
  agent.calls.length = 0;
  const reading = runAgentctl(["--addr", agent.address, "stdout", "web", "--exec", "e1"]);
  await runAgentctl(["--addr", agent.address, "close-stdin", "web"]);
  t.match(await reading, { status: 0, stdout: "a\u0000bü" });
});

test("pod plays sandbox, pause and container as the Go shim does", async (t) => {
  await using agent = await startRecordingAgent(processWith(["x"], [], 6));
  const ended = await runAgentctl([
    "--addr",
    agent.address,
    "pod",
    "--id",
    "pod1",
    "--hostname",
    "h",
    "/srv/root",
    "app",
  ]);
  t.same(ended, { status: 6, stdout: "x", stderr: "" });
  t.same(names(agent, ["ReadStdout", "ReadStderr", "CloseStdin"]), [
    "Check",
    "CreateSandbox",
    "GetGuestDetails",
    "CreateContainer",
    "StartContainer",
    "CreateContainer",
    "StartContainer",
    "WaitProcess",
    "SignalProcess",
    "WaitProcess",
    "RemoveContainer",
    "SignalProcess",
    "WaitProcess",
    "RemoveContainer",
    "DestroySandbox",
  ]);
  const [pause, app] = agent.calls
    .filter(({ name }) => name === "CreateContainer")
    .map(({ request }) => request);
  const typeOf = (request: Record<string, unknown> | undefined) =>
    (request?.["OCI"] as { Annotations: Map<string, string> } | undefined)?.Annotations.get(
      "io.kubernetes.cri.container-type",
    );
  t.same([pause?.["container_id"], typeOf(pause)], ["pod1", "sandbox"]);
  t.same([app?.["container_id"], typeOf(app)], ["pod1-app", "container"]);
});

test("a pod that fails half way still destroys its sandbox", async (t) => {
  const fail = () => Promise.reject(new AgentError(Code.internal, "no"));
  await using agent = await startRecordingAgent({ StartContainer: fail });
  t.equal((await runAgentctl(["--addr", agent.address, "pod", "/srv/root", "app"])).status, 1);
  t.equal(names(agent).at(-1), "DestroySandbox");
});
