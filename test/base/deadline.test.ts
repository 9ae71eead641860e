import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { abortable, deadline, delay } from "../../src/base/deadline.ts";

const timeout = { name: "AgentError", code: Code.deadlineExceeded, message: "timeout" };
const never = new Promise<void>(() => {});

test("a deadline aborts when its time is up, and not once the work is done", async (t) => {
  const limit = deadline(1);
  await t.rejects(abortable(never, limit.signal), timeout);
  const met = deadline(1);
  met.done();
  await delay(20);
  t.notOk(met.signal.aborted);
});

test("a deadline of the past aborts at once, one of centuries does not", async (t) => {
  const past = deadline(-5);
  await t.rejects(abortable(never, past.signal), timeout);
  const far = deadline(2 ** 40);
  await delay(20);
  t.notOk(far.signal.aborted, "a timer holds 24.8 days and fires at once with more");
  far.done();
});

test("a deadline follows its parent, with the parent's reason", async (t) => {
  const parent = new AbortController();
  const limit = deadline(60_000, parent.signal);
  parent.abort(new Error("gone"));
  t.match(limit.signal.reason, { message: "gone" });
  const late = deadline(60_000, parent.signal);
  t.match(late.signal.reason, { message: "gone" });
  for (const { done } of [limit, late]) done();
  const quiet = new AbortController();
  const over = deadline(60_000, quiet.signal);
  over.done();
  quiet.abort();
  t.notOk(over.signal.aborted, "the parent is let go of");
});

test("a delay ends early with the reason of its signal", async (t) => {
  const controller = new AbortController();
  const waiting = delay(60_000, controller.signal);
  controller.abort(new Error("stop"));
  await t.rejects(waiting, { message: "stop" });
  await t.rejects(delay(1, controller.signal), { message: "stop" });
  await delay(1, new AbortController().signal);
});

test("work that can be given up passes on its own outcome", async (t) => {
  const { signal } = new AbortController();
  t.equal(await abortable(Promise.resolve(5), signal), 5);
  t.equal(await abortable(Promise.resolve(5), undefined), 5);
  await t.rejects(abortable(Promise.reject(new Error("own")), signal), { message: "own" });
  const gone = AbortSignal.abort(new Error("early"));
  await t.rejects(abortable(never, gone), { message: "early" });
});
