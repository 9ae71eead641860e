import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { countCpus, onlineCpus, onlineMemory, probeMemory } from "../../src/sandbox/online-resources.ts";

const never = new AbortController().signal;

/** A tree like `/sys/devices/system` with files only: what the kernel would do on a write, nobody does here. */
async function systemTree(files: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), "system-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(dir, name, ".."), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return { dir, read: (name: string) => readFile(join(dir, name), "utf8") };
}

for (const [list, count] of [
  ["0", 1],
  ["0-3", 4],
  ["0-3,5", 5],
  ["0,2,4-5", 4],
  ["", 0],
] as const) {
  test(`the list "${list}" names ${count} processors`, async (t) => {
    t.equal(countCpus(list), count);
  });
}

test("processors that are off are switched on until there are enough, and no more", async (t) => {
  const { dir, read } = await systemTree({
    "cpu/online": "0",
    "cpu/cpu1/online": "0",
    "cpu/cpu2/online": "0",
    "cpu/cpufreq/online": "0",
  });
  t.teardown(() => rm(dir, { recursive: true }));
  // The list in this tree never changes, so the wait is given up once the first round has been made.
  const given = new AbortController();
  const waiting = onlineCpus(2, given.signal, dir);
  while ((await read("cpu/cpu1/online")) === "0" && (await read("cpu/cpu2/online")) === "0");
  const on = [await read("cpu/cpu1/online"), await read("cpu/cpu2/online")];
  given.abort(new Error("enough"));
  await t.rejects(waiting, { message: "enough" });
  t.same(on.sort(), ["0", "1"]);
  t.equal(await read("cpu/cpufreq/online"), "0");
});

test("nothing is touched when enough processors are on", async (t) => {
  const { dir, read } = await systemTree({ "cpu/online": "0-3", "cpu/cpu4/online": "0" });
  t.teardown(() => rm(dir, { recursive: true }));
  await onlineCpus(4, never, dir);
  t.equal(await read("cpu/cpu4/online"), "0");
});

test("memory blocks that are off are switched on", async (t) => {
  const { dir, read } = await systemTree({
    "memory/memory1/online": "0",
    "memory/memory2/online": "1",
    "memory/power/online": "0",
  });
  t.teardown(() => rm(dir, { recursive: true }));
  await onlineMemory(dir);
  t.same([await read("memory/memory1/online"), await read("memory/power/online")], ["1", "0"]);
});

test("probed addresses are written in hexadecimal, a kernel without probe is an error", async (t) => {
  const { dir, read } = await systemTree({ "memory/probe": "" });
  t.teardown(() => rm(dir, { recursive: true }));
  await probeMemory([0x1_8000_0000n], dir);
  t.equal(await read("memory/probe"), "0x180000000");
  await rm(join(dir, "memory/probe"));
  await t.rejects(probeMemory([1n], dir), { code: 13 });
});
