import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { containerId, execId, pid, sandboxId } from "../../src/base/ids.ts";

const refused = { name: "AgentError", code: Code.internal };
const good = ["ab", "a1", "A.b-c_d", "0x", "x".repeat(255)];
const bad = ["", "a", ".ab", "-ab", "_ab", "a/b", "a b", "../ab", "ab\n", "ab\0", "äb", "x".repeat(256)];

// agent-api 3.3.1, 10.1
test("ids of every kind are checked before they can become a path", async (t) => {
  for (const check of [containerId, execId, sandboxId]) {
    for (const value of good) t.equal(check(value), value, `${check.name} ${value.slice(0, 20)}`);
    for (const value of bad)
      t.throws(() => check(value), refused, `${check.name} ${JSON.stringify(value).slice(0, 20)}`);
  }
});

test("a container cannot have the name of a directory of the agent's own", async (t) => {
  for (const name of ["shared", "sandbox", "image", "virtual-volumes"]) {
    t.throws(() => containerId(name), refused, name);
    t.equal(execId(name), name, "an exec id is no directory there");
  }
});

test("an id that is refused is not repeated in the error", async (t) => {
  t.throws(() => containerId("secret value"), { message: "invalid container id" });
  t.throws(() => execId("secret value"), { message: "invalid exec id" });
  t.throws(() => sandboxId("secret value"), { message: "invalid sandbox id" });
});

test("a process id is a positive whole number, since others mean groups", async (t) => {
  t.equal(pid(1), 1);
  for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => pid(value), refused, `${value}`);
});
