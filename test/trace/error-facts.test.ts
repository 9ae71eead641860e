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
    "the status name and first words of an AgentError",
    new AgentError(Code.notFound, "No such container"),
    "NOT_FOUND",
    "No such container",
  ],
  [
    "no word that came from further down",
    new AgentError(Code.internal, "crun create: exec secret: not found"),
    "INTERNAL",
    "crun create",
  ],
  [
    "nothing in quotes",
    new AgentError(Code.internal, "cannot find `secret` here"),
    "INTERNAL",
    "cannot find … here",
  ],
  [
    "nothing behind an open quote",
    new AgentError(Code.internal, "cannot find 'secret here"),
    "INTERNAL",
    "cannot find …",
  ],
  ["no path", new AgentError(Code.internal, "open /run/secret failed"), "INTERNAL", "open … failed"],
  ["the errno and the system call of a system error", system, "ENOENT", "open: ENOENT"],
  ["the class of any other error, without its text", new TypeError("secret is undefined"), "TypeError", ""],
  ["the kind of what is no error", "secret", "string", ""],
];
for (const [why, thrown, type, message] of rows)
  t.test(`tells ${why}`, async (t) => {
    t.same(errorFacts(thrown), { type, message });
  });

t.test("keeps messages short", async (t) => {
  t.equal(errorFacts(new AgentError(Code.internal, "x".repeat(500))).message.length, 120);
});
