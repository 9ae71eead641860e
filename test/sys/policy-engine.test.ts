import { test } from "tap";
import { policyEngine } from "../../src/sys/policy-engine.ts";
import { needsEngine } from "../fakes/policies.ts";

const head = "package agent_policy\n";

test("wrong arguments are errors", needsEngine, (t) => {
  const { load, check } = policyEngine() as unknown as Record<
    "load" | "check",
    (...args: unknown[]) => unknown
  >;
  for (const args of [[], [5], [null], [{}], [Symbol("x")]]) t.throws(() => load(...args));
  for (const args of [[], ["A"], ["A", 5], [undefined, "{}"], ["A", "no json"]])
    t.throws(() => check(...args));
  t.end();
});

test("a policy that cannot be used leaves the one before, with its state", needsEngine, (t) => {
  const engine = policyEngine();
  const remember = '{"allowed": true, "ops": [{"op": "add", "path": "/pstate/x", "value": 1}]}';
  engine.load(`${head}A := ${remember}\nB if data.pstate.x == 1\ndefault B := false\n`);
  t.equal(engine.check("B", "{}").allowed, false);
  t.equal(engine.check("A", "{}").allowed, true);
  t.throws(() => engine.load("no policy"));
  t.equal(engine.check("B", "{}").allowed, true);
  t.equal(engine.check("C", "{}").allowed, undefined);
  t.end();
});

test("a patch is applied as a whole or not at all", needsEngine, (t) => {
  const engine = policyEngine();
  const half = '[{"op": "add", "path": "/pstate/x", "value": 1}, {"op": "remove", "path": "/pstate/none"}]';
  const nothing = '[{"op": "replace", "path": "", "value": 7}]';
  const rules = [`A := {"allowed": true, "ops": ${half}}`, `N := {"allowed": true, "ops": ${nothing}}`];
  const denied = `D := {"allowed": false, "ops": [{"op": "add", "path": "/pstate/x", "value": 1}]}`;
  engine.load(`${head}${rules.join("\n")}\n${denied}\ndefault B := true\nB := false if data.pstate.x\n`);
  t.throws(() => engine.check("A", "{}"));
  t.throws(() => engine.check("N", "{}"));
  t.equal(engine.check("D", "{}").allowed, false);
  t.equal(engine.check("B", "{}").allowed, true);
  t.end();
});

test("what never ends, and what prints without end, is cut off", needsEngine, (t) => {
  const engine = policyEngine();
  engine.load(
    `${head}f(x) := f(x + 1)\nA if f(1)\nP if { some i in numbers.range(1, 9999); print(i); i < 0 }\n`,
  );
  t.throws(() => engine.check("A", "{}"));
  t.ok(engine.check("P", "{}").prints.length <= 4096);
  t.end();
});
