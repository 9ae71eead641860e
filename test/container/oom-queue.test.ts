import { test } from "tap";
import { containerId } from "../../src/base/ids.ts";
import { OomQueue } from "../../src/container/oom-queue.ts";

const never = new AbortController().signal;

test("an event goes to one asker only, askers are served in turn", async (t) => {
  const queue = new OomQueue();
  const asked = [queue.next(never), queue.next(never)];
  queue.push(containerId("one"));
  queue.push(containerId("two"));
  t.same(await Promise.all(asked), ["one", "two"]);
});

test("an event that nobody asked for yet is kept", async (t) => {
  const queue = new OomQueue();
  queue.push(containerId("kept"));
  t.equal(await queue.next(never), "kept");
});

test("an asker who has given up takes no event with it", async (t) => {
  const queue = new OomQueue();
  const controller = new AbortController();
  const given = queue.next(controller.signal);
  controller.abort(new Error("gone"));
  await t.rejects(given, { message: "gone" });
  queue.push(containerId("later"));
  t.equal(await queue.next(never), "later");
});

test("a flood keeps the newest hundred", async (t) => {
  const queue = new OomQueue();
  for (let count = 0; count < 150; count += 1) queue.push(containerId(`c-${count}`));
  t.equal(await queue.next(never), "c-50");
});

test("after the end every asker is told so with an empty text", async (t) => {
  const queue = new OomQueue();
  const waiting = queue.next(never);
  queue.close();
  await t.rejects(waiting, { code: 13, message: "" });
  await t.rejects(queue.next(never), { code: 13, message: "" });
});
