import { test } from "tap";
import { errorHeaderText, errorText } from "../../src/rpc/error-text.ts";

test("a long text is cut at 8192 characters, and half a character replaced", async (t) => {
  t.equal(errorText("short: 100 %"), "short: 100 %");
  t.equal(errorText("x".repeat(100_000)), "x".repeat(8192));
  t.equal(errorText(`${"x".repeat(8191)}😀`), `${"x".repeat(8191)}\ufffd`);
  t.equal(errorText("half \ud83d"), "half \ufffd");
});

for (const [what, char, chars] of [
  ["plain letters", "x", 8192],
  ["spaces", " ", 4096],
  ["letters of three bytes", "語", 1365],
  ["letters of four bytes", "😀", 1024],
] as const) {
  test(`of ${what} as much is kept as fits into a header of 12 KiB`, async (t) => {
    const text = errorHeaderText(char.repeat(100_000));
    t.equal(text, char.repeat(chars));
    t.ok(encodeURI(text).length <= 12 * 1024);
    t.equal(errorHeaderText(char.repeat(chars)), text, "what fits is left as it is");
  });
}

test("a text with half a character can be put into a header", async (t) => {
  t.equal(errorHeaderText("half \ud83d"), "half \ufffd");
  t.equal(encodeURI(errorHeaderText(`${"x".repeat(8191)}😀`)), `${"x".repeat(8191)}%EF%BF%BD`);
});
