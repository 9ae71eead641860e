import t from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import { errorFacts } from "../../src/trace/error-facts.ts";

const system = Object.assign(new Error("ENOENT: no such file or directory, open '/secret/path'"), {
  code: "ENOENT",
  syscall: "open",
});

const rows: [why: string, thrown: unknown, type: string, message: string][] = [
  [
    "the status name of an AgentError and none of its words",
    new AgentError(Code.notFound, "Failed to find the storage handler secret"),
    "NOT_FOUND",
    "NOT_FOUND",
  ],
  [
    "nothing of what an AgentError was made from",
    AgentError.from(system, "mount secret on /secret"),
    "INTERNAL",
    "INTERNAL",
  ],
  ["the errno and the system call of a system error", system, "ENOENT", "open: ENOENT"],
  ["the class of any other error, without its text", new TypeError("secret is undefined"), "TypeError", ""],
  ["the kind of what is no error", "secret", "string", ""],
];
for (const [why, thrown, type, message] of rows)
  t.test(`tells ${why}`, async (t) => {
    t.same(errorFacts(thrown), { type, message });
  });
