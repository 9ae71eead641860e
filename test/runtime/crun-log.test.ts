import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { crunError } from "../../src/runtime/crun-error.ts";
import { crunComplaint } from "../../src/runtime/crun-log.ts";

const line = (level: string, msg: string) => JSON.stringify({ msg, level, time: "2026-11-21T12:00:00Z" });

test("the last error of a log is the complaint", async (t) => {
  const cases = [
    ["", undefined],
    [line("warning", "careful"), undefined],
    [line("error", "one"), "one"],
    [`${line("error", "one")}\n${line("debug", "noise")}\n${line("error", "two")}\n`, "two"],
    [`${line("error", "one")}\n{"msg":"cut sh`, "one"],
    [line("error", line("error", "hook failed")), "hook failed"],
    ['not json\n[]\nnull\n{"msg":5,"level":"error"}\n{"level":"error"}', undefined],
    [line("error", 'quotes " and \\ and ünï'), 'quotes " and \\ and ünï'],
  ] as const;
  for (const [log, complaint] of cases) t.equal(crunComplaint(log), complaint, log.slice(0, 40));
});

test("a complaint becomes an error that says which step failed", async (t) => {
  const cases = [
    [
      "executable file `nope` not found in $PATH: No such file or directory",
      /^crun exec: the file nope was not found$/,
    ],
    ["mount `x` to `y`: Permission denied", /^crun exec: mount `x` to `y`: Permission denied$/],
    [undefined, /^crun exec: ended with status 137$/],
  ] as const;
  for (const [complaint, message] of cases) {
    t.match(crunError("exec", complaint, "ended with status 137"), {
      name: "AgentError",
      code: Code.internal,
      message,
    });
  }
});
