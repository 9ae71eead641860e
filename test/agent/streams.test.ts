import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { eventually, refusal, startAgent } from "../fakes/real-agent.ts";

const agent = await startAgent();
t.teardown(() => agent[Symbol.asyncDispose]());
const { calls } = agent;
const manyBytes = 16 * 1024 * 1024;
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("16 MiB pass byte for byte through stdin and stdout", async (t) => {
  const bytes = randomBytes(manyBytes);
  const id = await agent.run("copies", { args: ["cat"] });
  const output = agent.readAll(id);
  for (let at = 0; at < bytes.length; at += 1024 * 1024) {
    const data = bytes.subarray(at, at + 1024 * 1024);
    t.equal((await calls.WriteStdin({ container_id: id, data })).len, data.length);
  }
  await calls.CloseStdin({ container_id: id });
  const copied = await output;
  t.equal(copied.length, bytes.length);
  t.equal(digest(copied), digest(bytes));
  t.equal((await calls.WaitProcess({ container_id: id })).status, 0);
  await calls.RemoveContainer({ container_id: id });
});

// agent-api 3.10
test("no read answers more than was asked for", async (t) => {
  const id = await agent.run("small", { args: ["echo", "0123456789"] });
  t.equal(await agent.readText(id, 4), "0123");
  const { data } = await calls.ReadStdout({ container_id: id, len: 3 });
  t.equal(Buffer.from(data).toString(), "456");
  t.equal(`${await agent.readAll(id)}`, "789\n");
  await calls.RemoveContainer({ container_id: id });
});

// agent-api 0.4
test("output is whole at the exit, also for who reads only after the wait", async (t) => {
  const file = join(agent.root, "etc/noise");
  const bytes = randomBytes(60_000);
  writeFileSync(file, bytes);
  for (const first of ["wait", "read"]) {
    const id = await agent.run(`order-${first}`, { args: ["cat", "/etc/noise"] });
    if (first === "wait") t.equal((await calls.WaitProcess({ container_id: id })).status, 0);
    t.equal(digest(await agent.readAll(id)), digest(bytes), `${first} first`);
    if (first === "read") t.equal((await calls.WaitProcess({ container_id: id })).status, 0);
    t.equal((await calls.ReadStdout({ container_id: id, len: 10 })).data.length, 0, "the end stays the end");
    await calls.RemoveContainer({ container_id: id });
  }
});

// agent-api 10.2
test("an exit before the first wait and read is not lost", async (t) => {
  const id = await agent.run("host", { args: ["sleep", "1000"] });
  await agent.exec(id, "early", { args: ["sh", "-c", "echo out; echo err >&2; exit 9"] });
  await eventually(() => agent.children() === 1);
  t.equal(`${await agent.readAll(id, "early", "Stderr")}`, "err\n");
  t.equal(`${await agent.readAll(id, "early")}`, "out\n");
  t.equal((await calls.WaitProcess({ container_id: id, exec_id: "early" })).status, 9);
  t.equal((await refusal(calls.WaitProcess({ container_id: id, exec_id: "early" }))).code, Code.notFound);
  await agent.remove(id);
});

// agent-api 10.2
test("of 60 processes that end at once each has its own exit and output", async (t) => {
  const id = await agent.run("crowd", { args: ["sleep", "1000"] });
  const right = await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      const exec_id = `quick-${n}`;
      await agent.exec(id, exec_id, { args: ["sh", "-c", `echo ${n}; exit ${n}`], terminal: n % 4 === 0 });
      const output = `${await agent.readAll(id, exec_id)}`.trim();
      const { status } = await calls.WaitProcess({ container_id: id, exec_id });
      return output === `${n}` && status === n;
    }),
  );
  t.same(right, Array(60).fill(true));
  await agent.remove(id);
});

test("a grandchild that keeps the pipe does not keep the reader", async (t) => {
  const id = await agent.run("holder", { args: ["sleep", "1000"] });
  await agent.exec(id, "parent", { args: ["sh", "-c", "echo said; sleep 1000 & exit 4"] });
  const early = agent.readAll(id, "parent");
  t.equal(`${await early}`, "said\n");
  t.equal((await calls.ReadStdout({ container_id: id, exec_id: "parent", len: 9 })).data.length, 0);
  t.equal((await calls.WaitProcess({ container_id: id, exec_id: "parent" })).status, 4);
  await agent.remove(id);
});

test("1,000 reads wait while other calls go on, and all of them end", async (t) => {
  const id = await agent.run("quiet", { args: ["cat"] });
  const others = await agent.connect();
  const reads = Array.from({ length: 1000 }, () => others.ReadStdout({ container_id: id, len: 1 }));
  const waits = Array.from({ length: 100 }, () => calls.WaitProcess({ container_id: id }));
  t.equal((await calls.Check({})).status, 1);
  await agent.exec(id, "aside", { args: ["echo", "aside"] });
  t.equal(`${await agent.readAll(id, "aside")}`, "aside\n");
  await calls.WriteStdin({ container_id: id, data: Buffer.alloc(600, 120) });
  await calls.CloseStdin({ container_id: id });
  const lengths = (await Promise.all(reads)).map(({ data }) => data.length);
  t.same(lengths, [...Array(600).fill(1), ...Array(400).fill(0)], "in the order they came");
  t.same(new Set((await Promise.all(waits)).map(({ status }) => status)), new Set([0]));
  await calls.RemoveContainer({ container_id: id });
});

// agent-api 3.9
test("a full pipe holds back its writer and nobody else", async (t) => {
  const id = await agent.run("stuck", { args: ["sleep", "1000"] });
  const write = calls.WriteStdin({ container_id: id, data: Buffer.alloc(1024 * 1024) });
  const outcome = refusal(write);
  t.equal((await calls.Check({})).status, 1);
  await agent.exec(id, "free", { args: ["true"] });
  t.equal((await calls.WaitProcess({ container_id: id, exec_id: "free" })).status, 0);
  await calls.SignalProcess({ container_id: id, exec_id: "", signal: 9 });
  t.equal((await outcome).code, Code.internal);
  await calls.WaitProcess({ container_id: id });
  t.equal(
    (await refusal(calls.WriteStdin({ container_id: id, data: Buffer.from("x") }))).code,
    Code.internal,
  );
  await calls.RemoveContainer({ container_id: id });
});

test("reads that their caller gave up lose no byte", async (t) => {
  const id = await agent.run("patient", { args: ["cat"] });
  const leaving = await agent.connect();
  const lost = Array.from({ length: 5 }, () =>
    refusal(leaving.ReadStdout({ container_id: id, len: 100 }, { timeoutMs: 50 })),
  );
  t.same(
    (await Promise.all(lost)).map(({ code }) => code),
    Array(5).fill(Code.deadlineExceeded),
  );
  const cut = Array.from({ length: 5 }, () => refusal(leaving.ReadStdout({ container_id: id, len: 100 })));
  await leaving.Check({});
  await leaving.client.close();
  await Promise.all(cut);
  await calls.Check({});
  await calls.WriteStdin({ container_id: id, data: Buffer.from("0123456789") });
  t.equal(await agent.readText(id, 10), "0123456789");
  await agent.remove(id);
});

// agent-api 0.4
test("a terminal has its size, one stream, and an end", async (t) => {
  const id = await agent.run("screen", { args: ["sleep", "1000"] });
  const exec_id = "terminal";
  await agent.exec(id, exec_id, { args: ["sh", "-c", "read go; stty size; tty; exit 6"], terminal: true });
  await calls.TtyWinResize({ container_id: id, exec_id, row: 33, column: 77 });
  await calls.CloseStdin({ container_id: id, exec_id });
  await calls.WriteStdin({ container_id: id, exec_id, data: Buffer.from("go\n") }).then(
    () => t.pass("the end of input leaves a terminal open"),
    (error) => t.fail(error.message),
  );
  const output = `${await agent.readAll(id, exec_id)}`;
  t.match(output, /33 77/);
  t.match(output, /\/dev\/pts\/\d/);
  const late = await refusal(calls.TtyWinResize({ container_id: id, exec_id, row: 1, column: 1 }));
  t.match(late, { code: Code.internal, message: /terminal is closed/ }, "its number may be another's by now");
  t.equal((await calls.WaitProcess({ container_id: id, exec_id })).status, 6);
  await agent.remove(id);
});

test("init may have the terminal", async (t) => {
  const id = await agent.create("main", { args: ["sh", "-c", "stty size; echo done"], terminal: true });
  await calls.TtyWinResize({ container_id: id, row: 12, column: 34 });
  await calls.StartContainer({ container_id: id });
  t.equal(`${await agent.readAll(id)}`, "12 34\r\ndone\r\n");
  t.equal((await calls.WaitProcess({ container_id: id })).status, 0);
  await calls.RemoveContainer({ container_id: id });
});

test("an empty write ends the input", async (t) => {
  const id = await agent.run("rust", { args: ["wc", "-c"] });
  await calls.WriteStdin({ container_id: id, data: Buffer.from("four") });
  t.equal((await calls.WriteStdin({ container_id: id })).len, 0);
  t.equal(`${await agent.readAll(id)}`, "4\n");
  await calls.CloseStdin({ container_id: id });
  await calls.WaitProcess({ container_id: id });
  await calls.RemoveContainer({ container_id: id });
});
