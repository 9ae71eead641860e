import { readFileSync } from "node:fs";
import { test } from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code, codeName } from "../../src/base/code.ts";
import { exitStatus } from "../../src/base/exit.ts";
import { version } from "../../src/base/version.ts";

test("whatever was thrown becomes an error with a code and a chained text", async (t) => {
  const own = new AgentError(Code.notFound, "no such thing");
  const system = Object.assign(new Error("ENOENT: no such file, open"), { code: "ENOENT" });
  const cases = [
    [own, undefined, undefined, Code.notFound, "no such thing"],
    [own, "step", undefined, Code.notFound, "step: no such thing"],
    [own, undefined, Code.internal, Code.internal, "no such thing"],
    [system, undefined, undefined, Code.internal, "ENOENT: no such file, open"],
    [system, "step", Code.unavailable, Code.unavailable, "step: ENOENT: no such file, open"],
    ["text", "step", undefined, Code.internal, "step: text"],
    [undefined, undefined, undefined, Code.internal, "undefined"],
  ] as const;
  for (const [thrown, context, code, wantedCode, wantedText] of cases) {
    const error = AgentError.from(thrown, context, code);
    t.match(error, { name: "AgentError", code: wantedCode, message: wantedText });
    t.ok(error === thrown || error.cause === thrown, "the original is kept for the log");
  }
  t.equal(AgentError.from(own), own);
  const overOwn = new Error("ENOENT: no such file, rename '/proc/self/fd/30/a' -> '/proc/self/fd/7'");
  t.equal(AgentError.from(overOwn).message, "ENOENT: no such file, rename 'a' -> ''", "descriptors are ours");
});

test("codes have their standard names", async (t) => {
  const names =
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED";
  const more =
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED";
  for (const [code, name] of `${names} ${more}`.split(" ").entries()) t.equal(codeName(code), name);
  t.equal(Object.keys(Code).length, 17);
  t.equal(codeName(99), "CODE_99");
});

test("an exit is told as shells do", async (t) => {
  t.equal(exitStatus({ how: "exited", code: 0 }), 0);
  t.equal(exitStatus({ how: "exited", code: 255 }), 255);
  t.equal(exitStatus({ how: "signaled", signal: 9 }), 137);
});

test("the version is that of package.json", async (t) => {
  const { version: packaged } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  t.equal(version, packaged);
});
