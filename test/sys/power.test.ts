import { test } from "tap";
import { syncDisks } from "../../src/sys/power.ts";

// Power off itself is tried in namespaced.test.ts.

test("a sync comes back", async (t) => {
  await syncDisks();
  t.pass("it did");
});
