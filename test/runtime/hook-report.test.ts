import { test } from "tap";
import { hookReport, succeeded } from "../../src/runtime/hook-report.ts";

test("a report tells how a hook ended and the last it said", async (t) => {
  const cases = [
    ["exited 0\n", { how: "exited", number: 0, lastLine: "" }],
    ["exited 3\none\ntwo \n\n", { how: "exited", number: 3, lastLine: "two" }],
    ["signaled 9\n\u001b[31mred\tx", { how: "signaled", number: 9, lastLine: "[31mred x" }],
    ["timeout\nslow\n", { how: "timeout", number: undefined, lastLine: "slow" }],
    ["failed 11\n", { how: "failed", number: 11, lastLine: "" }],
    ["", { how: "unknown", number: undefined, lastLine: "" }],
    ["exited", { how: "unknown", number: undefined, lastLine: "" }],
    [`exited 1\n${"x".repeat(300)}`, { how: "exited", number: 1, lastLine: "x".repeat(200) }],
  ] as const;
  for (const [text, report] of cases) t.same(hookReport(text), report, JSON.stringify(text.slice(0, 20)));
  t.ok(succeeded(hookReport("exited 0\n")));
  for (const text of ["exited 1\n", "timeout\n", ""]) t.notOk(succeeded(hookReport(text)));
});
