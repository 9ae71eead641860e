import t from "tap";
import { isAnyIn, scrubTexts } from "../../src/forwarder/scrub-texts.ts";

t.test("a pattern of characters in a row has no limit, since it needs none", async (t) => {
  const text = `${"password=".repeat(200_000)}\n${"a".repeat(2_000_000)}`;
  for (const source of ["password=[^ ]+", "token=\\d*", "x.y", "secret"]) {
    const pattern = new RegExp(source, "gu");
    t.equal(isAnyIn(text, [pattern]), /^password/.test(source), source);
    t.equal(scrubTexts(["no such thing", "ok"], [pattern])[1], "ok");
  }
});

t.test("a pattern that is tried in many ways is cut off, whatever makes it long", async (t) => {
  for (const [source, text] of [
    ["(a+)+b", "a".repeat(100)],
    ["[a-z]+@[a-z]+", "a".repeat(4_000_000)],
  ] as const)
    t.throws(() => isAnyIn(text, [new RegExp(source, "gu")]), { name: "TookTooLong" }, source);
});

t.test(
  "a text over which a pattern needs more room than there is, is cut off like one that takes too long",
  async (t) => {
    const [text, pattern] = ["a".repeat(24_000_000), /^(?:a|b)*c/gu];
    t.throws(() => isAnyIn(text, [pattern]), { name: "TookTooLong" });
    t.throws(() => scrubTexts([text], [pattern]), { name: "TookTooLong" });
  },
);

t.test(
  "how long it took is told, also when it was cut off, but of patterns without a limit nothing is",
  async (t) => {
    const told: number[] = [];
    const spent = (ms: number): void => void told.push(ms);
    isAnyIn("x", [/password=\w+/gu], spent);
    scrubTexts(["x"], [/password=\w+/gu], spent);
    t.same(told, []);
    isAnyIn("x", [/(?:y|z)+x/gu], spent);
    scrubTexts(["x"], [/(?:y|z)+x/gu], spent);
    t.throws(() => isAnyIn("a".repeat(100), [/(a+)+b/gu], spent));
    t.equal(told.length, 3);
    t.ok((told[2] ?? 0) > 100);
  },
);

t.test("several patterns are taken out one after the other", async (t) => {
  const patterns = [/password=\w+/gu, /(?<=Bearer )\w+/gu];
  t.same(scrubTexts(["password=x Bearer y", "fine"], patterns), ["[scrubbed] Bearer [scrubbed]", "fine"]);
});
