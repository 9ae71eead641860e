import { readFileSync } from "node:fs";
import { test } from "tap";
import { setProcessName } from "../../src/sys/process-name.ts";

test("the kernel keeps 15 bytes of a process name", (t) => {
  const before = readFileSync("/proc/self/comm", "utf8").trim();
  setProcessName("a-name-that-is-too-long");
  t.equal(readFileSync("/proc/self/comm", "utf8"), "a-name-that-is-\n");
  setProcessName(before);
  t.end();
});
