import { test } from "tap";
import { asciiPrefix, decodeUtf8 } from "../../src/wire/utf8.ts";

for (const text of [
  "",
  "a",
  "c1",
  "é",
  "日本語 🚀",
  "\ufeffkept",
  "x".repeat(200),
  `${"x".repeat(200)}é`,
  "\0",
]) {
  test(`text of ${text.length} characters survives: ${JSON.stringify(text.slice(0, 10))}`, async (t) => {
    const bytes = Buffer.concat([Buffer.from("<"), Buffer.from(text), Buffer.from(">")]);
    t.equal(decodeUtf8(bytes, 1, bytes.length - 1), text);
  });
}

for (const hex of ["80", "c3", "c328", "eda080", "f8888080", "616263ff"]) {
  test(`bytes ${hex} are not UTF-8, short or long`, async (t) => {
    const bytes = Buffer.from(hex, "hex");
    const long = Buffer.concat([Buffer.alloc(100, "a"), bytes]);
    t.throws(() => decodeUtf8(bytes, 0, bytes.length));
    t.throws(() => decodeUtf8(long, 0, long.length));
  });
}

test("ASCII is written up to the first other character", async (t) => {
  const into = new Uint8Array(8);
  t.equal(asciiPrefix("abéc", into, 2), 2);
  t.same([...into], [0, 0, 0x61, 0x62, 0, 0, 0, 0]);
});
