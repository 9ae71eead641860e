import { test } from "tap";
import { Periodic } from "../../src/sandbox/periodic.ts";

test("the work is done again and again, and its end can be waited for", async (t) => {
  const third = Promise.withResolvers<void>();
  let count = 0;
  const periodic = new Periodic(1, async () => {
    count += 1;
    if (count === 3) third.resolve();
  });
  periodic.start();
  periodic.start();
  await third.promise;
  await periodic.close();
  await periodic.close();
  t.ok(count >= 3);
});

test("a new period begins at once, and closing ends the work under way", async (t) => {
  const begun = Promise.withResolvers<void>();
  const periodic = new Periodic(2 ** 31 - 1, (signal) => {
    begun.resolve();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  });
  periodic.start();
  periodic.setPeriod(1);
  await begun.promise;
  await periodic.close();
  t.pass("it ended");
});
