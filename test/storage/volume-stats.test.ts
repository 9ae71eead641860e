import { statfs } from "node:fs/promises";
import { test } from "tap";
import { volumeStats } from "../../src/storage/volume-stats.ts";

test("space and inodes are those of statfs, and what is available is what an ordinary user can take", async (t) => {
  const { bytes, inodes } = await volumeStats("/");
  const { bsize, blocks, files } = await statfs("/", { bigint: true });
  t.equal(bytes.total, blocks * bsize);
  t.equal(inodes.total, files);
  t.ok(bytes.available <= bytes.total - bytes.used);
});

for (const path of ["relative", "/a/../b", "/nonexistent", "/a\0b", ""]) {
  test(`the path ${JSON.stringify(path)} is refused with INTERNAL`, async (t) => {
    await t.rejects(volumeStats(path), { code: 13 });
  });
}
