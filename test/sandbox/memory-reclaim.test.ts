import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import type { ReclaimSettings } from "../../src/sandbox/mem-agent-settings.ts";
import { MemoryReclaim } from "../../src/sandbox/memory-reclaim.ts";

const settings: ReclaimSettings = {
  disabled: false,
  swap: false,
  swappinessMax: 50,
  periodSecs: 600n,
  periodPsiPercentLimit: 1,
  evictionPsiPercentLimit: 1,
  agingCountMin: 2n,
};
const never = new AbortController().signal;
const megabyte = 1024 * 1024;

/** A folder with the files of a group; nothing is taken back here, so what was asked for stays in the file. */
function groupOf(t: Test, fileMegabytes = 8) {
  const dir = mkdtempSync(join(tmpdir(), "group-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write("memory.stat", `anon 5\ninactive_anon ${3 * megabyte}\ninactive_file ${fileMegabytes * megabyte}\n`);
  write("memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 total=0\n");
  write("memory.current", String(20 * megabyte));
  write("memory.reclaim", "");
  const asked = () => readFileSync(join(dir, "memory.reclaim"), "utf8");
  return { dir, write, asked };
}

test("what a group has not used is taken back once it has been there for long enough (agent-api 3.35)", async (t) => {
  const group = groupOf(t);
  const reclaim = new MemoryReclaim();
  t.match(await reclaim.round([group.dir], settings, never), { groups: 0, skipped: 1 });
  t.equal(group.asked(), "");
  t.match(await reclaim.round([group.dir], settings, never), { groups: 1, skipped: 0 });
  t.equal(group.asked(), `${8 * megabyte} swappiness=0`);
});

test("with swap, anonymous memory goes too, within the bound of swappiness", async (t) => {
  const group = groupOf(t);
  const reclaim = new MemoryReclaim();
  await reclaim.round([group.dir], { ...settings, agingCountMin: 0n, swap: true }, never);
  t.equal(group.asked(), `${11 * megabyte} swappiness=50`);
  await reclaim.round([group.dir], { ...settings, agingCountMin: 0n, swap: true, swappinessMax: 255 }, never);
  t.match(group.asked(), / swappiness=200$/, "the kernel's most");
});

test("a group that waited for memory since the last round keeps what it has", async (t) => {
  const group = groupOf(t);
  const reclaim = new MemoryReclaim();
  const now = { ...settings, agingCountMin: 0n };
  await reclaim.round([group.dir], now, never);
  group.write("memory.reclaim", "");
  group.write("memory.pressure", "some avg10=90.00 total=900000000\n");
  t.match(await reclaim.round([group.dir], now, never), { groups: 0, skipped: 1 });
  t.equal(group.asked(), "");
  t.match(
    await reclaim.round([group.dir], now, never),
    { groups: 1 },
    "and is asked again once that is over",
  );
});

test("a group that has gone, or has next to nothing, is no fault", async (t) => {
  const [gone, small, good] = [groupOf(t), groupOf(t, 0), groupOf(t)];
  rmSync(gone.dir, { recursive: true });
  mkdirSync(gone.dir);
  const reclaim = new MemoryReclaim();
  const round = await reclaim.round(
    [gone.dir, small.dir, good.dir],
    { ...settings, agingCountMin: 0n },
    never,
  );
  t.match(round, { groups: 1, skipped: 2 });
  t.equal(small.asked(), "");
  t.throws(() => readFileSync(join(gone.dir, "memory.reclaim")), "no plain file is left in its place");
});
