import { test } from "tap";
import { copyOfBytes } from "../../src/wire/byte-range.ts";
import { rememberedText } from "../../src/wire/remembered-text.ts";

test("a copy of a part of a Buffer is no view on it", async (t) => {
  const buffer = Buffer.from("<abc>");
  const copy = copyOfBytes(buffer, 1, 4);
  buffer.fill("x");
  t.strictSame([...copy], [...Buffer.from("abc")]);
  t.not(copy.buffer, buffer.buffer);
});

test("remembered texts are right however often the buffer they stand in is used again", async (t) => {
  const buffer = Buffer.alloc(5);
  const wrong: string[] = [];
  for (let i = 10_000; i < 40_000; i++) {
    buffer.write(`${i}`);
    const text = rememberedText(buffer, 0, 5);
    if (text !== `${i}`) wrong.push(text);
  }
  t.same(wrong.slice(0, 3), []);
});
