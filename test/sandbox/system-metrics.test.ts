import { mkdirSync, mkdtempSync, rmSync, type StatsFs, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Test, test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import type { Metric } from "../../src/base/metric.ts";
import { ioMetrics, statMetrics, statusMetrics } from "../../src/sandbox/agent-metrics.ts";
import { diskMetrics, netMetrics } from "../../src/sandbox/device-metrics.ts";
import { filesystemMetrics } from "../../src/sandbox/filesystem-metrics.ts";
import { cpuMetrics, loadMetrics, memoryMetrics, vmMetrics } from "../../src/sandbox/guest-metrics.ts";
import { systemMetrics } from "../../src/sandbox/system-metrics.ts";
import { type MountInfo, parseMountInfo } from "../../src/sys/mount-info.ts";

/** A folder that stands in for /proc. */
function procOf(t: Test, files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), "proc-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

/** `name{label,label}` → value. */
function flat(metrics: readonly Metric[]): Record<string, number> {
  const entries = metrics.flatMap(({ name, samples }) =>
    samples.map(([labels, value]) => [`${name}{${Object.values(labels)}}`, value] as const),
  );
  return Object.fromEntries(entries);
}

test("the agent's own process: threads, memory, time and traffic (agent-api 3.32)", async (t) => {
  const dir = procOf(t, {
    status:
      "Name:\tkata-agent\nVmPeak:\t 900 kB\nVmSize:\t 800 kB\nVmRSS:\t 70 kB\nThreads:\t11\nvoluntary_ctxt_switches:\t5\n",
    // A program may call itself anything.
    stat: `1 (a) R (b c) S 0 1 1 0 -1 4194560 10 20 30 40 150 50 7 8 20 0 11 0`,
    io: "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n",
  });
  const status = flat(await statusMetrics(dir));
  t.match(status, {
    "kata_agent_threads{}": 11,
    "kata_agent_total_vm{}": 800 * 1024,
    "kata_agent_total_rss{}": 70 * 1024,
    "kata_agent_proc_status{vmpeak}": 900,
    "kata_agent_proc_status{voluntary_ctxt_switches}": 5,
    "kata_agent_proc_status{hugetlbpages}": 0,
  });
  t.equal(Object.keys(status).length, 3 + 18);
  t.same(flat(await statMetrics(dir)), {
    "kata_agent_total_time{}": 2,
    "kata_agent_proc_stat{utime}": 150,
    "kata_agent_proc_stat{stime}": 50,
    "kata_agent_proc_stat{cutime}": 7,
    "kata_agent_proc_stat{cstime}": 8,
  });
  t.match(flat(await ioMetrics(dir)), {
    "kata_agent_io_stat{rchar}": 1,
    "kata_agent_io_stat{cancelled_write_bytes}": 7,
  });
});

test("load, tasks and processor time of the guest, in the units of agent-api 3.32", async (t) => {
  const dir = procOf(t, {
    loadavg: "0.50 1.25 2.00 3/456 789\n",
    stat: "cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5 cpu1\nctxt 7\n",
    vmstat: "nr_free_pages 12\npgfault 34\n",
  });
  t.same(flat(await loadMetrics(dir)), {
    "kata_guest_load{load1}": 0.5,
    "kata_guest_load{load5}": 1.25,
    "kata_guest_load{load15}": 2,
    "kata_guest_tasks{cur}": 3,
    "kata_guest_tasks{max}": 456,
  });
  const cpu = flat(await cpuMetrics(dir));
  t.equal(Object.keys(cpu).length, 20);
  t.match(cpu, { "kata_guest_cpu_time{total,user}": 100, "kata_guest_cpu_time{0,guest_nice}": 100 });
  t.same(flat(await vmMetrics(dir)), {
    "kata_guest_vm_stat{nr_free_pages}": 12,
    "kata_guest_vm_stat{pgfault}": 34,
  });
});

test("memory in bytes under the reference's names, absent ones 0 (agent-api 3.32)", async (t) => {
  const meminfo = [
    ...[
      "MemTotal: 100 kB",
      "Active(anon): 2 kB",
      "NFS_Unstable: 3 kB",
      "Committed_AS: 4 kB",
      "HugePages_Total: 5",
    ],
    ...[
      "Hugepagesize: 2048 kB",
      "Percpu: 6 kB",
      "DirectMap4k: 7 kB",
      "DirectMap2M: 8 kB",
      "SReclaimable: 9 kB",
    ],
  ].join("\n");
  const found = flat(await memoryMetrics(procOf(t, { meminfo })));
  const of = (item: string) => found[`kata_guest_meminfo{${item}}`];
  t.equal(of("mem_total"), 100 * 1024);
  t.equal(of("active_anon"), 2048);
  t.equal(of("nfs_unstable"), 3072);
  t.equal(of("committed_as"), 4096);
  t.equal(of("hugepages_total"), 5, "pages, not bytes");
  t.equal(of("hugepagesize"), 2048 * 1024);
  t.equal(of("per_cpu"), 6144);
  t.equal(of("direct_map_4k"), 7168);
  t.equal(of("direct_map_2M"), 8192);
  t.equal(of("s_reclaimable"), 9216);
  t.equal(of("mmap_copy"), 0);
  t.equal(Object.keys(found).length, 58);
});

test("network devices and disks, whatever the kernel's age (agent-api 3.32)", async (t) => {
  const counted = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => from + i).join(" ");
  const dir = procOf(t, {
    "net/dev": `Inter-| Receive\n face |bytes\n    lo:${counted(1, 16)}\n  eth0: ${counted(101, 16)}\n`,
    diskstats: ` 254 0 vda ${counted(1, 17)}\n   8 1 sda1 ${counted(201, 11)}\n`,
  });
  const net = flat(await netMetrics(dir));
  t.equal(Object.keys(net).length, 32);
  t.match(net, {
    "kata_guest_netdev_stat{lo,recv_bytes}": 1,
    "kata_guest_netdev_stat{lo,recv_multicast}": 8,
    "kata_guest_netdev_stat{eth0,sent_bytes}": 109,
    "kata_guest_netdev_stat{eth0,sent_compressed}": 116,
  });
  const disks = flat(await diskMetrics(dir));
  t.equal(Object.keys(disks).length, 17 + 11);
  t.match(disks, {
    "kata_guest_diskstat{vda,reads}": 1,
    "kata_guest_diskstat{vda,time_flushing}": 17,
    "kata_guest_diskstat{sda1,weighted_time_in_progress}": 211,
  });
});

const mountTable = parseMountInfo(
  [
    "1 0 254:1 / / rw - ext4 /dev/vda1 rw",
    "2 1 254:1 /sub /bind rw - ext4 /dev/vda1 rw",
    "3 1 254:2 / /ro ro - ext4 /dev/vdb ro",
    "4 1 0:30 / /c rw - overlay overlay rw",
    "5 1 0:31 / /run rw - tmpfs tmpfs rw",
    "6 1 0:32 / /odd rw - xfs / rw",
  ].join("\n"),
);

async function answers(): Promise<StatsFs> {
  return { bsize: 10, blocks: 100, bfree: 40, bavail: 30, files: 9, ffree: 4 } as StatsFs;
}

test("file systems: real ones, writable, each device once (agent-api 3.32)", async (t) => {
  const found = flat(await filesystemMetrics(mountTable, answers));
  t.same(
    Object.keys(found).filter(
      (key) => key.startsWith("kata_guest_filesystem_bytes") && key.endsWith("total}"),
    ),
    ["/,vda1", "/c,overlay", "/odd,0:32"].map((labels) => `kata_guest_filesystem_bytes{${labels},total}`),
  );
  t.match(found, {
    "kata_guest_filesystem_bytes{/,vda1,total}": 1000,
    "kata_guest_filesystem_bytes{/,vda1,used}": 600,
    // Not what is free, as the reference tells: some of that is root's alone.
    "kata_guest_filesystem_bytes{/,vda1,available}": 300,
    "kata_guest_filesystem_inodes{/,vda1,used}": 5,
  });
  t.same(flat(await filesystemMetrics([], answers)), {}, "what is gone leaves nothing behind");
});

test("a dead file system costs one question, and the others are told", async (t) => {
  const asked: string[] = [];
  const dead = Promise.withResolvers<StatsFs>();
  const look = (path: string) => {
    asked.push(path);
    return path === "/c" ? dead.promise : answers();
  };
  for (const _round of [1, 2]) {
    const mounts = Object.keys(flat(await filesystemMetrics(mountTable, look)));
    t.ok(mounts.some((key) => key.includes("{/,")));
    t.notOk(mounts.some((key) => key.includes("{/c,")));
  }
  t.equal(asked.filter((path) => path === "/c").length, 1);
  dead.resolve(await answers());
  // The answer has its way through those who waited for it.
  await new Promise((resolve) => setImmediate(resolve));
  const later = Object.keys(flat(await filesystemMetrics(mountTable as MountInfo[], look)));
  t.ok(
    later.some((key) => key.includes("{/c,")),
    "once it answers it is asked again",
  );
});

test("a source that fails is left out", async (t) => {
  const one: Metric = { name: "one", help: "", kind: "gauge", samples: [] };
  const from = { good: async () => [one], bad: () => statusMetrics("/nonexistent") };
  t.same(await systemMetrics(silentLog, from), [one]);
});
