import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { PartialFiles } from "../../src/storage/partial-files.ts";

test("a file is complete with its last piece, whatever the order", async (t) => {
  const orders = [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
    [2, 0, 1],
  ];
  for (const order of orders) {
    const files = new PartialFiles();
    const file = files.at("/f", 25);
    const results = order.map((piece) => file.has(piece * 10, piece === 2 ? 5 : 10));
    t.same(results, [false, false, true], `${order}`);
  }
});

test("pieces that overlap or come again count once", async (t) => {
  const file = new PartialFiles().at("/f", 20);
  t.notOk(file.has(0, 10));
  t.notOk(file.has(0, 10));
  t.notOk(file.has(5, 10));
  t.notOk(file.has(16, 4));
  t.ok(file.has(14, 2));
});

test("pieces that touch are one, and too many that stand apart are refused", async (t) => {
  const file = new PartialFiles().at("/f", 10_000);
  for (let offset = 0; offset < 5000; offset++) t.notOk(file.has(offset, 1));
  for (let gap = 1; gap < 1024; gap++) file.has(5000 + 2 * gap, 1);
  t.throws(() => file.has(9000, 1), { code: Code.internal, message: /gaps/ });
  for (let gap = 0; gap < 1024; gap++) file.has(5000 + 2 * gap, 2);
  t.ok(file.has(7000, 3000));
});

test("an empty file is complete with its first piece", async (t) => {
  t.ok(new PartialFiles().at("/f", 0).has(0, 0));
});

test("a copy is found again by path and size, and gives way to one of another size", async (t) => {
  const files = new PartialFiles();
  const first = files.at("/f", 10);
  t.equal(files.at("/f", 10), first);
  t.equal(files.replaced("/f", 10), undefined);
  t.equal(files.replaced("/f", 11), first.name, "its hidden file has to go");
  t.not(files.at("/f", 11).name, first.name);
  files.done("/f");
  t.equal(files.replaced("/f", 12), undefined);
  t.match(first.name, /^\.kata-copy-[0-9a-f]{24}$/);
});

test("beyond the limit the oldest copy gives way, and the others stay", async (t) => {
  const files = new PartialFiles();
  const copies = Array.from({ length: 256 }, (_, index) => files.at(`/f${index}`, 10));
  t.equal(files.evicted("/f7"), undefined, "a copy under way needs no room");
  t.same(files.evicted("/one-more"), { path: "/f0", name: copies[0]?.name });
  const more = files.at("/one-more", 10);
  t.equal(files.at("/one-more", 10), more);
  t.equal(files.at("/f255", 10), copies[255]);
  t.equal(files.replaced("/f0", 11), undefined, "forgotten");
});
