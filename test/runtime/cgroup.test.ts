import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { containerId } from "../../src/base/ids.ts";
import { Cgroup, cgroupPath } from "../../src/runtime/cgroup.ts";
import { readCgroupStats } from "../../src/runtime/cgroup-stats.ts";
import { hugepageSizes } from "../../src/runtime/hugepage-sizes.ts";
import { statsMessage } from "../../src/service/stats-message.ts";

const id = containerId("box1");
const most = 2n ** 64n - 1n;

test("the host's path of a group becomes one below our root", async (t) => {
  const cases = {
    "": "/box1",
    "/": "/box1",
    "/kubepods/burstable/pod1/box": "/kubepods/burstable/pod1/box",
    "kubepods.slice:cri-containerd:box": "/kubepods.slice/cri-containerd/box",
    "//a//./b/": "/a/b",
    "a..b": "/a..b",
  };
  for (const [host, path] of Object.entries(cases)) t.equal(cgroupPath(host, id), path, host);
  for (const bad of ["..", "/a/../b", "a:..:b", "/a/..", "/a\0b", "/a".repeat(65), "a".repeat(256)]) {
    t.throws(() => cgroupPath(bad, id), { code: Code.internal }, JSON.stringify(bad));
  }
});

/** A folder that looks like a group, with files as the kernel writes them. */
function recorded(t: Test, files: Record<string, string>): Cgroup {
  const root = mkdtempSync(join(tmpdir(), "cgroup-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  return new Cgroup("/", root);
}

test("figures of a version 2 group come out in the message's units", async (t) => {
  const group = recorded(t, {
    "cpu.stat":
      "usage_usec 18446744073709551\nuser_usec 2000\nsystem_usec 1000\nnr_periods 7\nnr_throttled 3\nthrottled_usec 50\n",
    "memory.current": "4096\n",
    "memory.peak": "8192\n",
    "memory.max": "max\n",
    "memory.stat": "anon 100\nfile 200\nworkingset_refault_anon 0\n",
    "memory.swap.current": "1\n",
    "memory.swap.max": "max\n",
    "memory.swap.events": "high 0\nmax 0\nfail 9\n",
    "pids.current": "5\n",
    "pids.max": "max\n",
    "io.stat":
      "259:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:16 rbytes=7 wbytes=0 rios=0 wios=0 dbytes=0 dios=0\n7:0 \n",
  });
  const message = statsMessage(await readCgroupStats(group));
  t.same(message.cpu_stats, {
    cpu_usage: {
      total_usage: 18446744073709551000n,
      usage_in_usermode: 2_000_000n,
      usage_in_kernelmode: 1_000_000n,
      percpu_usage: [],
    },
    throttling_data: { periods: 7n, throttled_periods: 3n, throttled_time: 50_000n },
  });
  t.same(message.memory_stats?.usage, { usage: 4096n, max_usage: 8192n, failcnt: 0n, limit: most });
  t.same(message.memory_stats?.swap_usage, { usage: 1n, max_usage: 0n, failcnt: 9n, limit: 0n });
  t.equal(message.memory_stats?.kernel_usage?.limit, most);
  t.same(
    [...(message.memory_stats?.stats ?? [])],
    [
      ["anon", 100n],
      ["file", 200n],
      ["workingset_refault_anon", 0n],
    ],
  );
  t.same(message.pids_stats, { current: 5n, limit: 0n });
  const io = message.blkio_stats?.io_service_bytes_recursive ?? [];
  t.same(
    io.slice(0, 6).map(({ op, value }) => [op, value]),
    [
      ["read", 1n],
      ["write", 2n],
      ["rios", 3n],
      ["wios", 4n],
      ["dbytes", 5n],
      ["dios", 6n],
    ],
  );
  t.equal(io.length, 12);
  t.match(io[6], { major: 8n, minor: 16n, op: "read", value: 7n });
});

test("a controller that is not there leaves its part of the message unset", async (t) => {
  const message = statsMessage(await readCgroupStats(recorded(t, { "cpu.stat": "usage_usec 1\n" })));
  t.equal(message.memory_stats, undefined);
  t.equal(message.pids_stats, undefined);
  t.equal(message.cpu_stats?.throttling_data?.periods, 0n);
  t.same(message.blkio_stats?.io_service_bytes_recursive, []);
  const gone = statsMessage(await readCgroupStats(new Cgroup("/gone", "/nowhere")));
  t.equal(gone.cpu_stats, undefined);
  t.same([...(gone.hugetlb_stats ?? [])], []);
});

test("huge pages are spelled as the controller spells them", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hugepages-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const name of ["hugepages-2048kB", "hugepages-1048576kB", "hugepages-64kB", "other"]) {
    writeFileSync(join(folder, name), "");
  }
  t.same((await hugepageSizes(folder)).sort(), ["1GB", "2MB", "64KB"]);
  t.same(await hugepageSizes("/nowhere"), []);
});

test("a group is killed in one step, and one that has gone is no error", async (t) => {
  const group = recorded(t, { "cgroup.kill": "" });
  group.killAll();
  t.equal(readFileSync(group.file("cgroup.kill"), "utf8"), "1");
  new Cgroup("/gone", "/nowhere").killAll();
});

test("a kill for want of memory is told once, to whoever asks after it", async (t) => {
  const root = t.testdir({ box: { "memory.events": "oom 1\noom_kill 0\n" } });
  const group = new Cgroup("/box", root);
  t.equal(group.oomKilled(), false);
  writeFileSync(group.file("memory.events"), "oom 2\noom_kill 2\n");
  t.equal(group.oomKilled(), true);
  t.equal(group.oomKilled(), false);
  t.equal(new Cgroup("/none", root).oomKilled(), false);
});
