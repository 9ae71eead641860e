import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { type RunLimits, run } from "../../src/sys/run.ts";
import { openDescriptors } from "./open-descriptors.ts";

const env = { PATH: "/usr/bin:/bin" };
const limits: RunLimits = { timeoutMs: 60_000, maxOutputBytes: 1024 * 1024 };

function shell(script: string, stdin?: Uint8Array) {
  return { file: "sh", args: ["-c", script], env, ...(stdin === undefined ? {} : { stdin }) };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

test("stdin goes in, stdout and stderr come out apart", async (t) => {
  const result = await run(shell("cat; echo problem >&2; exit 3", Buffer.from("input")), limits);
  t.same(result.exit, { how: "exited", code: 3 });
  t.equal(text(result.stdout), "input");
  t.equal(text(result.stderr), "problem\n");
});

test("more than a pipe holds passes both ways", async (t) => {
  const stdin = Buffer.alloc(800_000, "0123456789");
  const { stdout } = await run(shell("cat", stdin), limits);
  t.ok(stdin.equals(stdout));
});

test("a program that does not read its stdin is no failure", async (t) => {
  const result = await run(shell("exit 0", Buffer.alloc(800_000)), limits);
  t.same(result.exit, { how: "exited", code: 0 });
});

test("output is complete at exit though a daemon holds the pipe", async (t) => {
  const { stdout } = await run(shell("sleep 2 & echo done"), limits);
  t.equal(text(stdout), "done\n");
});

test("at the time limit it is killed and the error says so", async (t) => {
  const work = run(shell("exec sleep 600"), { ...limits, timeoutMs: 50 });
  await t.rejects(work, { code: Code.deadlineExceeded });
});

test("too much output is an error, not memory", async (t) => {
  const work = run(shell("exec yes"), { ...limits, maxOutputBytes: 1000 });
  await t.rejects(work, { code: Code.resourceExhausted, message: "output of sh is too long" });
});

test("an abort kills it and rejects with the reason", async (t) => {
  const controller = new AbortController();
  const work = run(shell("exec sleep 600"), { ...limits, signal: controller.signal });
  controller.abort(new Error("no longer needed"));
  await t.rejects(work, { message: "no longer needed" });
  await t.rejects(run(shell("exit 0"), { ...limits, signal: controller.signal }), {
    message: "no longer needed",
  });
});

test("no way to end leaves a descriptor", async (t) => {
  await run(shell("exit 0"), limits);
  const before = openDescriptors();
  await run(shell("cat", Buffer.from("x")), limits);
  await run({ ...shell(""), file: "/nonexistent" }, limits).catch(() => undefined);
  await run(shell("exec sleep 600"), { ...limits, timeoutMs: 10 }).catch(() => undefined);
  await run(shell("exec yes"), { ...limits, maxOutputBytes: 10 }).catch(() => undefined);
  t.equal(openDescriptors(), before);
});
