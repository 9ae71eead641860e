import { test } from "tap";
import { policyComplaint } from "../../src/sandbox/policy-complaint.ts";

const source = (what: string) =>
  new Error(`\n--> agent_policy:3:15\n  |\n3 | token := "SECRET"\n  |    ^\nerror: ${what}`);

const rows: [what: string, told: string][] = [
  ["expecting expression", "line 3, column 15: expecting expression"],
  [
    "`if` keyword is required before rule body",
    "line 3, column 15: `if` keyword is required before rule body",
  ],
  [
    '`add` expects numeric argument. Got `"SECRET"` instead',
    "line 3, column 15: … expects numeric argument. Got … instead",
  ],
  ["use of undefined variable `SECRET", "line 3, column 15: use of undefined variable …"],
];
for (const [what, told] of rows)
  test(`a complaint tells the place and the fault, never the text: ${what}`, async (t) => {
    t.equal(policyComplaint(source(what)), told);
  });

test("a complaint without a place is told as it is", async (t) => {
  t.equal(policyComplaint(new Error("the policy is nested too deeply")), "the policy is nested too deeply");
});
