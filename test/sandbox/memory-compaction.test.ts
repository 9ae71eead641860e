import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import type { CompactSettings } from "../../src/sandbox/mem-agent-settings.ts";
import { type Compact, MemoryCompaction } from "../../src/sandbox/memory-compaction.ts";
import { PressureMeter } from "../../src/sandbox/pressure-meter.ts";

const settings: CompactSettings = {
  disabled: false,
  periodSecs: 600n,
  periodPsiPercentLimit: 1,
  compactPsiPercentLimit: 5,
  secMax: 300n,
  order: 2,
  threshold: 100n,
  forceTimes: 3n,
};
const never = new AbortController().signal;

/** Files of the kernel's form in a folder, and a count of how often memory was compacted. */
function compactionOf(t: Test, compact?: Compact) {
  const dir = mkdtempSync(join(tmpdir(), "memory-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const [buddyinfo, pressure] = [join(dir, "buddyinfo"), join(dir, "pressure")];
  const done = { count: 0 };
  const counted: Compact = async () => {
    done.count += 1;
  };
  const write = (ones: number, twos: number) =>
    writeFileSync(buddyinfo, `Node 0, zone DMA 0 0 7\nNode 0, zone   Normal ${ones} ${twos} 5000 0\n`);
  const stall = (us: number) => writeFileSync(pressure, `some avg10=0.00 total=${us}\n`);
  write(0, 0);
  stall(0);
  return {
    compaction: new MemoryCompaction(new PressureMeter([pressure]), compact ?? counted, buddyinfo),
    done,
    write,
    stall,
  };
}

test("free memory is compacted when enough of it lies in blocks that are too small (agent-api 3.35)", async (t) => {
  const { compaction, done, write } = compactionOf(t);
  write(50, 24);
  t.equal(await compaction.round(settings, never), "not needed", "98 pages; larger blocks do not count");
  write(50, 25);
  t.equal(await compaction.round(settings, never), "done");
  t.equal(
    await compaction.round(settings, never),
    "not needed",
    "it is judged by what the last one has left",
  );
  write(150, 25);
  t.equal(await compaction.round(settings, never), "done");
  t.equal(done.count, 2);
});

test("after so many rounds without a reason there is one all the same", async (t) => {
  const { compaction } = compactionOf(t);
  const rounds: string[] = [];
  for (let count = 0; count < 5; count += 1) rounds.push(await compaction.round(settings, never));
  t.same(rounds, ["not needed", "not needed", "not needed", "done", "not needed"]);
});

/** Works until it is stopped. */
const endless: Compact = ({ signal }) =>
  new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });

test("it is stopped when it makes the guest wait more than it may", async (t) => {
  const begun = Promise.withResolvers<void>();
  const { compaction, stall } = compactionOf(t, (limits) => {
    begun.resolve();
    return endless(limits);
  });
  const round = compaction.round({ ...settings, threshold: 0n }, never);
  await begun.promise;
  // All of a minute, whenever it is looked at.
  stall(60_000_000);
  t.equal(await round, "stopped");
});

test("it is stopped by the end of the agent and by its limit of time; other failures are told", async (t) => {
  const now = { ...settings, threshold: 0n };
  const ending = new AbortController();
  const round = compactionOf(t, endless).compaction.round(now, ending.signal);
  ending.abort();
  t.equal(await round, "stopped");
  const fails = (code: Code) =>
    compactionOf(t, () => Promise.reject(new AgentError(code, "no shell"))).compaction.round(now, never);
  t.equal(await fails(Code.deadlineExceeded), "stopped");
  await t.rejects(fails(Code.internal), { message: "no shell" });
});

test("pressure is the share of the time since the last look, over all files that are there", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "pressure-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const write = (name: string, us: number) =>
    writeFileSync(join(dir, name), `some avg10=1 total=${us}\nfull total=5\n`);
  let nowMs = 0;
  const meter = new PressureMeter([join(dir, "memory"), join(dir, "io"), join(dir, "none")], () => nowMs);
  write("memory", 7_000_000);
  write("io", 0);
  t.equal(await meter.percent(), 0, "nothing to compare with");
  nowMs = 1_000;
  write("memory", 7_100_000);
  write("io", 50_000);
  t.equal(await meter.percent(), 15);
  nowMs = 2_000;
  t.equal(await meter.percent(), 0);
});
