/**
 * Runs one of the cases below as PID 1 of fresh namespaces and prints its result as JSON; started by namespaced.test.ts.
 * Refuses to run anywhere else, because most cases would change the machine.
 */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { hostname, networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { silentLog } from "../../src/base/log.ts";
import { setHostname } from "../../src/sys/hostname.ts";
import { setLinkUp } from "../../src/sys/link-up.ts";
import { MountFlag, mount, umount } from "../../src/sys/mount.ts";
import { parseMountInfo } from "../../src/sys/mount-info.ts";
import { persistNamespace } from "../../src/sys/namespaces.ts";
import { UeventSocket } from "../../src/sys/netlink.ts";
import { powerOff } from "../../src/sys/power.ts";
import { Reaper } from "../../src/sys/reaper.ts";
import { run } from "../../src/sys/run.ts";
import { startSession } from "../../src/sys/session.ts";
import type { Uevent } from "../../src/sys/uevent.ts";

const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
const limits = { timeoutMs: 300_000, maxOutputBytes: 100_000 };

function mountPoints(): string[] {
  return parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")).map((info) => info.mountPoint);
}

/** A tmpfs of our own with three folders, over the machine's folder for such things. */
async function privateFolder(): Promise<string> {
  const folder = tmpdir();
  await mount({ source: "tmpfs", target: folder, type: "tmpfs", data: "mode=755" });
  mkdirSync(join(folder, "a b"));
  return folder;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

async function mounts() {
  const folder = await privateFolder();
  const to = join(folder, "a b");
  const seen = (path: string) => mountPoints().includes(path);
  await mount({ source: "tmpfs", target: to, type: "tmpfs" });
  writeFileSync(join(to, "file"), "");
  const mounted = seen(to);
  await mount({ target: to, flags: MountFlag.remount | MountFlag.bind | MountFlag.readOnly });
  let readOnly: string | undefined;
  try {
    writeFileSync(join(to, "file"), "more");
  } catch (error) {
    readOnly = codeOf(error);
  }
  await umount(to);
  const again = await umount(to).catch(codeOf);
  return { mounted, readOnly, unmounted: !seen(to), again };
}

async function names() {
  setHostname("renamed");
  const folder = await privateFolder();
  const [uts, ipc] = [join(folder, "uts"), join(folder, "ipc")];
  await persistNamespace("uts", uts, "elsewhere");
  await persistNamespace("ipc", ipc);
  const inside = await run({ file: "nsenter", args: [`--uts=${uts}`, "hostname"], env }, limits);
  return {
    ours: hostname(),
    theirs: Buffer.from(inside.stdout).toString().trim(),
    bound: [uts, ipc].every((path) => mountPoints().includes(path)),
    failure: await persistNamespace("uts", join(folder, "other"), "x".repeat(65)).catch(
      (error: NodeJS.ErrnoException) => [error.code, error.syscall],
    ),
  };
}

async function link() {
  const before = "lo" in networkInterfaces();
  setLinkUp("lo");
  return { before, after: "lo" in networkInterfaces() };
}

async function uevents() {
  const folder = await privateFolder();
  await mount({ source: "sysfs", target: join(folder, "a b"), type: "sysfs" });
  const { promise, resolve } = Promise.withResolvers<Uevent>();
  using _socket = new UeventSocket(resolve, () => undefined);
  writeFileSync(join(folder, "a b/class/net/lo/uevent"), "change");
  const { action, devpath, subsystem, interface: name } = await promise;
  return { action, devpath, subsystem, name };
}

async function orphans() {
  using reaper = new Reaper(silentLog);
  reaper.start();
  const script = "for i in 1 2 3 4 5; do (sleep 0.05) & done";
  await run({ file: "sh", args: ["-c", script], env }, limits);
  const others = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== "1");
  while (others().length > 0) await wait(5);
  return "alone";
}

async function session() {
  startSession();
  try {
    startSession();
  } catch (error) {
    return codeOf(error);
  }
  return "twice";
}

const cases: Readonly<Record<string, () => Promise<unknown>>> = {
  mounts,
  names,
  link,
  uevents,
  orphans,
  session,
  powerOff: async () => powerOff(),
};

const [, , name = "", outerPidNamespace = ""] = process.argv;
if (process.pid !== 1 || readlinkSync("/proc/self/ns/pid") === outerPidNamespace || outerPidNamespace === "")
  throw new Error("only for namespaces of its own");
process.stdout.write(JSON.stringify(await cases[name]?.()));
