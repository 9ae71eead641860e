import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { hugePages, reserveHugePages } from "../../src/storage/huge-pages.ts";

const twoMiB = 2 * 1024 * 1024;

/** A made-up pool of pages of 2 MiB that takes every size. */
function pool(t: Test, pages: number) {
  const dir = mkdtempSync(join(tmpdir(), "huge-pages-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "hugepages-2048kB/nr_hugepages");
  mkdirSync(join(file, ".."));
  writeFileSync(file, `${pages}\n`);
  return { dir, file, size: () => Number(readFileSync(file, "utf8")) };
}

test("sizes are read as one option or as two, and come to whole pages (4.2)", (t) => {
  t.same(hugePages(["pagesize=2097152,size=524288000"]), { pageBytes: twoMiB, pages: 250 });
  t.same(hugePages(["size=4194305", "mode=700", "pagesize=2097152"]), { pageBytes: twoMiB, pages: 2 });
  t.end();
});

// agent-api 10.3
test("sizes that are none, or too large, are refused", (t) => {
  for (const bad of [
    [],
    ["pagesize=2097152"],
    ["size=2097152"],
    ["pagesize=0,size=1"],
    ["pagesize=-1,size=1"],
    ["pagesize=1000,size=1000000"],
    ["pagesize=2097152,size=1"],
    ["pagesize=2097152,size=1125899906842625"],
    ["pagesize=2097152,size=1e9"],
    ["pagesize=2M,size=4M"],
    ["pagesize=../../x,size=4096"],
  ]) {
    t.throws(() => hugePages(bad), { code: Code.internal }, bad.join(" "));
  }
  t.end();
});

test("volumes of one page size add up, and what one gives back is only its own (4.2)", async (t) => {
  const { dir, size } = pool(t, 5);
  const wanted = { pageBytes: twoMiB, pages: 10 };
  const [giveBack] = await Promise.all([1, 2, 3].map(() => reserveHugePages(wanted, dir)));
  t.equal(size(), 35);
  await giveBack?.();
  t.equal(size(), 25);
});

test("pages that the kernel does not give are an error, and the pool is as before", async (t) => {
  const { dir, file } = pool(t, 5);
  // A file that takes everything and keeps nothing.
  rmSync(file);
  symlinkSync("/dev/null", file);
  await t.rejects(reserveHugePages({ pageBytes: twoMiB, pages: 4 }, dir), {
    code: Code.internal,
    message: /^only 0 of 4 huge pages/,
  });
});

test("a page size that the guest does not have is an error", async (t) => {
  const { dir } = pool(t, 0);
  await t.rejects(reserveHugePages({ pageBytes: 4096, pages: 1 }, dir), {
    code: Code.internal,
    message: "the guest has no huge pages of 4096 bytes",
  });
});
