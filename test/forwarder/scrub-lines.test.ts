import t from "tap";
import { scrubLines } from "../../src/forwarder/scrub-lines.ts";

const ignored = (): void => undefined;
const endless = "a".repeat(100);

t.test("lines are looked at together, and lose what the patterns find", async (t) => {
  const told: number[] = [];
  const spent = (ms: number): void => void told.push(ms);
  const lines = scrubLines(["aab 1", "fine", ""], [/(a+)+b/gu], spent);
  t.same(lines, ["[scrubbed] 1", "fine", ""]);
  t.equal(told.length, 1);
});

t.test("a line that takes too long is not kept, those beside it are", async (t) => {
  t.same(scrubLines(["first", endless, "aab last"], [/(a+)+b/gu], ignored), [
    "first",
    "[scrubbed]",
    "[scrubbed] last",
  ]);
});

t.test("when many lines take too long the others are not looked at, so that it has an end", async (t) => {
  const lines = scrubLines([...Array<string>(20).fill(endless), "fine"], [/(a+)+b/gu], ignored);
  t.same(lines, Array(21).fill("[scrubbed]"));
});
