import { test } from "tap";
import { Waiters } from "../../src/base/waiters.ts";

const never = new AbortController().signal;

test("all who wait are woken at once, and who comes later waits for the next time", async (t) => {
  const waiters = new Waiters<number>();
  const first = [waiters.wait(never), waiters.wait(never)];
  t.equal(waiters.count, 2);
  waiters.wake(1);
  t.equal(waiters.count, 0);
  const later = waiters.wait(never);
  waiters.wake(2);
  t.same(await Promise.all([...first, later]), [1, 1, 2]);
});

test("a wait ends with the reason of its signal, alone", async (t) => {
  const waiters = new Waiters<number>();
  const leaving = new AbortController();
  const [left, stayed] = [waiters.wait(leaving.signal), waiters.wait(never)];
  leaving.abort(new Error("gone"));
  t.equal(waiters.count, 1, "its place is free at once");
  await t.rejects(left, { message: "gone" });
  await t.rejects(waiters.wait(leaving.signal), { message: "gone" });
  t.equal(waiters.count, 1);
  waiters.wake(7);
  t.equal(await stayed, 7);
});

test("a signal that aborts in the turn of the wake comes too late", async (t) => {
  const waiters = new Waiters<number>();
  const leaving = new AbortController();
  const woken = waiters.wait(leaving.signal);
  waiters.wake(5);
  leaving.abort(new Error("gone"));
  t.equal(await woken, 5);
});
