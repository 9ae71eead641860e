import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Code } from "../../src/base/code.ts";
import { processOf, specOf, type Wanted } from "../fakes/container-spec.ts";
import { PassedStream } from "../fakes/passed-stream.ts";
import { eventually, needsRoot, refusal, startAgent } from "../fakes/real-agent.ts";

// agent-api 6.7. The port that a stream comes from names it: a VSOCK port in a guest (test/vm), a TCP port here.
if (needsRoot.skip !== false) {
  t.plan(0, needsRoot.skip);
  process.exit();
}

const listener = 1027;
const agent = await startAgent({ config: `passfd_listener_port = "tcp://127.0.0.1:${listener}"` });
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const stream = () => PassedStream.open(agent.pid, listener);
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const host = await agent.run("host", { args: ["sleep", "1000"] });

async function execWith(exec_id: string, wanted: Wanted, ports: object): Promise<object> {
  return calls.ExecProcess({ container_id: host, exec_id, process: processOf(wanted), ...ports });
}

t.test("input and both outputs of a container pass over streams of the host (agent-api 6.7)", async (t) => {
  await using stdin = await stream();
  await using stdout = await stream();
  await using stderr = await stream();
  const container_id = agent.id("passes");
  const OCI = specOf(agent.root, { args: ["sh", "-c", "cat; echo bad >&2; exit 3"] });
  const ports = { stdin_port: stdin.port, stdout_port: stdout.port, stderr_port: stderr.port };
  await calls.CreateContainer({ container_id, OCI, ...ports });
  const read = await refusal(calls.ReadStdout({ container_id, len: 1 }));
  t.match(read, { code: Code.internal }, "no stream to read (agent-api 3.10)");
  t.match(await refusal(calls.WriteStdin({ container_id, data: Buffer.from("x") })), { code: Code.internal });
  await calls.StartContainer({ container_id });
  const waited = calls.WaitProcess({ container_id });
  const bytes = randomBytes(3 * 1024 * 1024);
  stdin.write(bytes);
  stdin.end();
  t.equal((await waited).status, 3);
  t.equal(digest(await stdout.whole()), digest(bytes));
  t.equal(`${await stderr.whole()}`, "bad\n");
  t.equal((await stdin.whole()).length, 0, "the input is closed with the process");
  await calls.RemoveContainer({ container_id });
});

t.test("the exit is told only after all output is out (agent-api 3.8, 6.7)", async (t) => {
  await using stdout = await stream();
  writeFileSync(join(agent.root, "etc/many"), randomBytes(16 * 1024 * 1024));
  await execWith("late", { args: ["cat", "/etc/many"] }, { stdout_port: stdout.port });
  stdout.reading = false;
  const early = await refusal(calls.WaitProcess({ container_id: host, exec_id: "late" }, { timeoutMs: 700 }));
  t.equal(early.code, Code.deadlineExceeded, "the host has not read it yet");
  t.equal((await calls.Check({})).status, 1);
  stdout.reading = true;
  t.equal((await calls.WaitProcess({ container_id: host, exec_id: "late" })).status, 0);
  t.equal((await stdout.whole()).length, 16 * 1024 * 1024);
});

t.test("a grandchild that keeps the output does not keep the exit", async (t) => {
  await using stdout = await stream();
  await execWith(
    "parent",
    { args: ["sh", "-c", "echo said; sleep 1000 & exit 4"] },
    { stdout_port: stdout.port },
  );
  t.equal((await calls.WaitProcess({ container_id: host, exec_id: "parent" })).status, 4);
  t.equal(`${await stdout.whole()}`, "said\n");
});

t.test("a terminal has one stream for input and one for output (agent-api 6.7)", async (t) => {
  await using stdin = await stream();
  await using stdout = await stream();
  await using stderr = await stream();
  const ports = { stdin_port: stdin.port, stdout_port: stdout.port, stderr_port: stderr.port };
  const exec_id = "screen";
  await execWith(exec_id, { args: ["sh", "-c", "read go; stty size; exit 6"], terminal: true }, ports);
  t.equal((await stderr.whole()).length, 0, "a stream for errors has nothing to carry");
  await calls.TtyWinResize({ container_id: host, exec_id, row: 33, column: 77 });
  stdin.write("go\n");
  t.equal((await calls.WaitProcess({ container_id: host, exec_id })).status, 6);
  t.match(`${await stdout.whole()}`, /33 77/);
});

t.test("a host that has closed its output does not hold up the process", async (t) => {
  const stdout = await stream();
  const exec_id = "unheard";
  const args = ["sh", "-c", "head -c 1000000 /dev/zero; read go; head -c 1000000 /dev/zero; exit 7"];
  await execWith(exec_id, { args }, { stdout_port: stdout.port });
  await stdout[Symbol.asyncDispose]();
  await calls.WriteStdin({ container_id: host, exec_id, data: Buffer.from("go\n") });
  t.equal((await calls.WaitProcess({ container_id: host, exec_id })).status, 7);
});

t.test("a stream that does not come is gone without (agent-api 6.7)", async (t) => {
  await execWith("alone", { args: ["echo", "read by call"] }, { stdout_port: 9 });
  t.equal(`${await agent.readAll(host, "alone")}`, "read by call\n");
  await calls.WaitProcess({ container_id: host, exec_id: "alone" });
});

t.test("a failed create or exec closes the streams that it took (agent-api 3.3.2 step 1)", async (t) => {
  const requests = {
    "missing program": (ports: object) => execWith("bad", { args: ["no-such-program"] }, ports),
    "unknown container": (ports: object) =>
      calls.ExecProcess({
        container_id: "nobody",
        exec_id: "x",
        process: processOf({ args: ["true"] }),
        ...ports,
      }),
    "no document": (ports: object) => calls.CreateContainer({ container_id: agent.id("none"), ...ports }),
    "an id in use": (ports: object) =>
      calls.CreateContainer({ container_id: host, OCI: specOf(agent.root, { args: ["true"] }), ...ports }),
  };
  for (const [name, request] of Object.entries(requests)) {
    await using stdout = await stream();
    t.equal((await refusal(request({ stdout_port: stdout.port }))).code, Code.internal, name);
    t.equal((await stdout.whole()).length, 0, `${name}: the host sees the end`);
  }
});

t.test("what nobody takes leaves nothing once its host has gone", async (t) => {
  const before = agent.traces().descriptors;
  for (let count = 0; count < 3; count++) await (await stream())[Symbol.asyncDispose]();
  t.ok(await eventually(() => JSON.stringify(agent.traces().descriptors) === JSON.stringify(before)));
});

t.test("a removal ends a process whose output nobody reads", async (t) => {
  await using stdout = await stream();
  const container_id = agent.id("unread");
  const OCI = specOf(agent.root, { args: ["cat", "/dev/zero"] });
  await calls.CreateContainer({ container_id, OCI, stdout_port: stdout.port });
  stdout.reading = false;
  await calls.StartContainer({ container_id });
  await calls.SignalProcess({ container_id, exec_id: "", signal: 9 });
  await calls.RemoveContainer({ container_id });
  t.match(await refusal(calls.WaitProcess({ container_id })), { code: Code.invalidArgument });
});
