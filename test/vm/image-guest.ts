/** Runs in a guest as its first process in the place of the agent, for image.test.ts: uses what the image brings. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { silentLog } from "../../src/base/log.ts";
import { mount } from "../../src/sys/mount.ts";
import { powerOff } from "../../src/sys/power.ts";
import { Reaper } from "../../src/sys/reaper.ts";
import { run } from "../../src/sys/run.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function tool(file: string, args: readonly string[]): Promise<string> {
  const env = { PATH: "/usr/sbin:/usr/bin" };
  const { exit, stdout } = await run({ file, args, env }, { timeoutMs: 120_000, maxOutputBytes: 1 << 16 });
  return `${JSON.stringify(exit)} ${Buffer.from(stdout)}`;
}

async function main(): Promise<void> {
  if (process.pid !== 1) throw new Error("only for the first process of a guest");
  new Reaper(silentLog).start();
  await mount({ source: "proc", target: "/proc", type: "proc" });
  await mount({ source: "devtmpfs", target: "/dev", type: "devtmpfs" });
  await mount({ source: "tmpfs", target: "/run", type: "tmpfs" });
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(`/run/${name}`);
  const data = "lowerdir=/run/lower,upperdir=/run/upper,workdir=/run/work";
  await mount({ source: "overlay", target: "/run/merged", type: "overlay", data });
  say(`overlay is ${/ \/run\/merged overlay /.test(readFileSync("/proc/mounts", "utf8"))}`);
  mkdirSync("/var/run/sandbox-ns");
  say(`/var/run is /run: ${existsSync("/run/sandbox-ns")}`);
  say(`modprobe ended with ${await tool("/sbin/modprobe", ["virtio_scsi"])}`);
  say(`virtio_scsi is ${/^virtio_scsi /m.test(readFileSync("/proc/modules", "utf8"))}`);
  say(`ip ended with ${await tool("ip", ["-json", "link"])}`);
  for (const file of ["crun", "blkid", "veritysetup", "iptables-save", "ip6tables-restore"]) {
    say(`${file} ended with ${await tool(file, ["--version"])}`);
  }
  say(`mkfs.ext4 ended with ${await tool("mkfs.ext4", ["-V"])}`);
}

main()
  .catch((error) => say(`test program failed: ${error.stack}`))
  // Whoever runs this on a machine must keep the machine.
  .finally(() => (process.pid === 1 ? powerOff() : undefined));
