import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import t from "tap";
import { bootGuest, type Guest } from "../../scripts/boot-guest.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { makeBusyboxRoot } from "../fakes/busybox-root.ts";
import { initdataDisk, initdataText } from "../fakes/initdata-disk.ts";
import { makeDisk } from "./layer-disk.ts";

const agentctl = join(import.meta.dirname, "../../build/agentctl");
const [logPort, consolePort] = [1025, 1026];
const blockBytes = 4096;
/** Longer than any wait in an emulated guest takes; a failure then shows what was said. */
const waitMs = 60_000;
const cachedBytes = 32 << 20;

async function ctl(guest: Guest, ...args: string[]): Promise<string> {
  const given = ["--addr", guest.address(1024), "--wait", "300s", ...args];
  return (await promisify(execFile)(agentctl, given)).stdout;
}

/** As /proc/mounts shows them; the kernel puts more behind. */
const baseMounts = [
  /^proc \/proc proc rw,nosuid,nodev,noexec/m,
  /^sysfs \/sys sysfs rw,nosuid,nodev,noexec/m,
  /^\S+ \/dev devtmpfs rw,nosuid/m,
  /^tmpfs \/dev\/shm tmpfs rw,nosuid,nodev/m,
  /^devpts \/dev\/pts devpts rw,nosuid,noexec/m,
  /^tmpfs \/run tmpfs rw,nosuid,nodev/m,
  /^cgroup2 \/sys\/fs\/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate/m,
];

/** What a port of the guest says, and a way to wait for something in it. */
function listener(socket: Socket) {
  let text = "";
  let wake = () => {};
  socket.setEncoding("latin1").on("data", (chunk) => {
    text += chunk;
    wake();
  });
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const until = async (pattern: RegExp, from = 0): Promise<string> => {
    const late = pause(waitMs, false, { ref: false });
    for (;;) {
      const found = pattern.exec(text.slice(from));
      if (found !== null) return found[0];
      const news = new Promise<true>((resolve) => {
        wake = () => resolve(true);
      });
      const gone = ended.then(() => false);
      if (!(await Promise.race([news, gone, late])) && !pattern.test(text))
        throw new Error(`no ${pattern} in ${text}`);
    }
  };
  return { socket, ended, until, text: () => text };
}

/** A disk of the test's own, with a serial number for the guest to see. */
function disk(path: string, serial: string): string[] {
  return [
    ...["-drive", `if=none,id=${serial},format=raw,readonly=on,file=${path}`],
    ...["-device", `virtio-blk-pci,drive=${serial},serial=${serial}`],
  ];
}

/** The tree of hashes of an image in a file of its own, and what the command line says about it (agent-api 1.3). */
function separateHashes(dir: string, image: string, salt: string): { tree: string; params: string } {
  const tree = join(dir, "tree");
  writeFileSync(tree, "");
  const blocks = statSync(image).size / blockBytes;
  const args = ["format", "--no-superblock", `--salt=${salt}`, `--data-blocks=${blocks}`, image, tree];
  const said = execFileSync("veritysetup", args, { encoding: "utf8" });
  const rootHash = /^Root hash:\s*([0-9a-f]+)$/m.exec(said)?.[1];
  return { tree, params: `root_hash=${rootHash},salt=${salt},data_blocks=${blocks}` };
}

// agent-api 1.4
t.test("the services beside the calls, in one guest", { skip: whyNoVm() ?? false }, async (t) => {
  const dir = mkdtempSync("/tmp/kata-services-");
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const busybox = makeBusyboxRoot(join(dir, "root"));
  // File cache for the mem-agent to take back.
  writeFileSync(join(busybox, "big"), randomBytes(cachedBytes));
  const erofs = join(dir, "erofs");
  execFileSync("mkfs.erofs", ["-T0", "--all-root", "--quiet", erofs, busybox], { stdio: "pipe" });
  const hashes = separateHashes(dir, erofs, "5a".repeat(32));
  makeDisk(join(dir, "checked"), [erofs, hashes.tree]);
  const aa = "[token]\nkey = 'value'\n";
  const initdata = initdataText({ "aa.toml": aa });
  writeFileSync(join(dir, "initdata"), initdataDisk(initdata));
  await using guest = await bootGuest({
    append: [
      // The kernel tells of the disks, which come after the VSOCK driver.
      "loglevel=7",
      `agent.log_vport=${logPort} agent.debug_console agent.debug_console_vport=${consolePort}`,
      `kata.extension.bare.verity_params kata.extension.sure.verity_params=${hashes.params}`,
      "kata.extension.robbed.verity_params",
      "agent.mem_agent_enable=true systemd.unified_cgroup_hierarchy=0",
    ].join(" "),
    options: [
      ...disk(join(dir, "initdata"), "initdata"),
      ...disk(erofs, "extension-bare"),
      ...disk(join(dir, "checked"), "extension-sure"),
      ...disk(join(dir, "checked"), "extension-robbed"),
    ],
  });
  await guest.seen(/\[vda\]/);
  const log = listener(await guest.connect(logPort));
  await log.until(/"msg":"listening"/);
  t.match(log.text(), /"msg":"agent starts"/, "the log has everything since the boot (agent-api 6.6)");
  t.match(log.text(), /version 1 of control groups is not mounted/, "(agent-api 1.2 step 4)");
  t.match(log.text(), /"msg":"initdata was read"/);
  t.notMatch(guest.console(), /"msg":/, "and the console nothing of it");

  const shells = [
    listener(await guest.connect(consolePort)),
    listener(await guest.connect(consolePort)),
  ] as const;
  const ask = (line: string, shell = shells[0]) => {
    const mark = Math.random().toString(36).slice(2);
    // In two parts, so that the echo of the line is not taken for its answer.
    const from = shell.text().length;
    shell.socket.write(`${line}; echo en"d-${mark}"\n`);
    return shell.until(new RegExp(`[\\s\\S]*\\bend-${mark}`), from);
  };
  t.match(await ask("tty; id -u"), /\/dev\/pts\/\d+\s+0\s/, "a shell on a terminal (agent-api 6.5)");
  t.match(await ask("tty", shells[1]), /\/dev\/pts\/\d+/, "and a second one");
  const stored = await ask("cd /run/confidential-containers/initdata && stat -c '%n=%a' * . && cat aa.toml");
  t.match(stored, /aa\.toml=600\s+initdata\.toml=600\s+\.=700/, "(agent-api 1.4 step 10)");
  t.match(stored, /key = 'value'/);
  const world = await ask("cat /proc/mounts; readlink /dev/ptmx; hostname; cat /sys/class/net/lo/flags");
  for (const line of baseMounts) t.match(world, line, "(agent-api 1.2 steps 2 and 4)");
  t.match(world, /\/dev\/pts\/ptmx\s+localhost\s+0x9\b/, "(agent-api 1.2 steps 5 and 8, 1.4 step 6)");

  const mounts = await ask("grep kata-ext /proc/mounts; ls /run/kata-extensions /dev/mapper");
  t.match(mounts, /\/dev\/vd[a-z] \/run\/kata-extensions\/bare erofs ro,/, "(agent-api 1.3)");
  t.match(mounts, /\/dev\/(dm-\d|mapper\/\S+) \/run\/kata-extensions\/sure erofs ro,/);
  t.notMatch(mounts, /robbed/, "hashes whose root nobody told of");
  t.match(log.text(), /"step":"extension","error":"extension robbed: hashes on the disk/);
  t.match(await ask("/run/kata-extensions/sure/bin/echo it is $((40 + 2))"), /it is 42/);

  // A container on the extension reads a file, and then does not need it any more.
  const rootfs = "/run/kata-extensions/bare";
  await ctl(guest, "create", "--read-only", "--rootfs", rootfs, "idle-1", "/bin/sleep", "3600");
  await ctl(guest, "start", "idle-1");
  const inside = (command: string) => ctl(guest, "exec", "idle-1", "/bin/sh", "-c", command);
  const set = (method: string, request: object) => ctl(guest, "call", method, JSON.stringify(request));
  await inside("cat /big >/dev/null");
  await set("MemAgentMemcgSet", {
    ...{ period_secs: "1", eviction_run_aging_count_min: "1" },
    ...{ period_psi_percent_limit: 100, eviction_psi_percent_limit: 100 },
  });
  const back = await log.until(/"bytes":(\d+)[^\n]*idle memory was taken back/);
  t.ok(Number(/"bytes":(\d+)/.exec(back)?.[1]) > cachedBytes / 2, back);
  await set("MemAgentCompactSet", {
    ...{ period_secs: "1", compact_threshold: "0" },
    ...{ period_psi_percent_limit: 100, compact_psi_percent_limit: 100 },
  });
  t.match(await log.until(/"round":"\w+"[^\n]*free memory was compacted/), /"round":"done"/);
  await set("MemAgentMemcgSet", { disabled: true });
  await set("MemAgentCompactSet", { disabled: true });

  const limit = { container_id: "idle-1", resources: { Memory: { Limit: "16777216" } } };
  await set("UpdateContainer", limit);
  const hungry = "head -c 60000000 /dev/zero | tail -c 60000000 >/dev/null; echo went on";
  t.match(await inside(hungry), /went on/);
  t.match(JSON.parse(await ctl(guest, "--json", "call", "GetOOMEvent", "{}")), { container_id: "idle-1" });
  const kills = await ask("grep -rs 'oom_kill [1-9]' /sys/fs/cgroup");
  t.match(kills, /memory.events:oom_kill 1\s/, "one kill, one event (agent-api 3.29)");

  const metrics = JSON.parse(await ctl(guest, "--json", "call", "GetMetrics", "{}")).metrics as string;
  for (const name of [
    'kata_guest_diskstat{disk="vda",item="reads"}',
    'kata_guest_netdev_stat{interface="lo",item="recv_bytes"}',
    'kata_guest_vm_stat{item="pgfault"}',
    "kata_agent_total_rss",
  ])
    t.ok(metrics.includes(`\n${name} `), name);

  await ctl(guest, "destroy-sandbox");
  // By the log: the backend was seen to keep connections open that the guest had closed before its end.
  t.match(
    await log.until(/agent ends[\s\S]*session ends[\s\S]*session ends[\s\S]*shutdown complete/),
    "session ends",
    "the consoles end with the agent, and the last line arrives too",
  );
  t.match(await guest.exited, { code: 0, signal: null });
  t.notMatch(guest.console(), /Kernel panic|agent crashed/);
});
