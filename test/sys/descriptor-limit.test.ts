import { readFileSync } from "node:fs";
import { test } from "tap";
import { raiseDescriptorLimit } from "../../src/sys/descriptor-limit.ts";

test("the limit of descriptors is raised as far as allowed, never lowered", (t) => {
  const soft = () => Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  const before = soft();
  t.equal(raiseDescriptorLimit(16), before);
  const reached = raiseDescriptorLimit(before + 1);
  t.equal(soft(), reached);
  t.ok(reached === before || reached === before + 1);
  t.end();
});
