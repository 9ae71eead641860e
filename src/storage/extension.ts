/**
 * Extensions of the guest image: read-only disks that the host adds and names on the kernel's command line
 * (agent-api 1.3). Where systemd is the first process its units mount them; where we are, we do.
 *
 * A disk may bring a tree of hashes in its second partition, and the command line the root of it. The two go together:
 * one without the other means that somebody has taken the other away, and the disk is not mounted.
 */
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { MountFlag, mount } from "../sys/mount.ts";
import { span } from "../trace/span.ts";
import { extensionVerity } from "./extension-verity.ts";
import { openVerity } from "./verity-device.ts";

/** `verityParams`: the text on the command line, empty for an extension that is not checked. */
export type Extension = { readonly name: string; readonly verityParams: string };

const mountFolder = "/run/kata-extensions";

/** Mounts one at `/run/kata-extensions/<name>`. @throws INTERNAL; what the tools and the kernel throw. */
export async function mountExtension({ name, verityParams }: Extension): Promise<void> {
  await span("extension", {}, async () => {
    const disk = await diskBySerial(`extension-${name}`);
    const [data, hashes] = await partitions(disk);
    const verity = extensionVerity(verityParams);
    if ((verity === undefined) !== (hashes === undefined)) {
      throw new AgentError(
        Code.internal,
        `extension ${name}: hashes on the disk and on the command line do not match`,
      );
    }
    const target = join(mountFolder, name);
    await mkdir(target, { recursive: true, mode: 0o755 });
    const flags = MountFlag.readOnly | MountFlag.noDev | MountFlag.noSuid;
    if (verity === undefined || hashes === undefined) {
      await mount({ source: data, target, type: "erofs", flags });
      return;
    }
    const checked = await openVerity(data, verity, hashes);
    try {
      await mount({ source: checked.path, target, type: "erofs", flags });
    } finally {
      await checked.removeWithLastUser();
    }
  });
}

/** The path of the disk with a serial number. `sysfs`: where that is mounted. */
export async function diskBySerial(serial: string, sysfs = "/sys"): Promise<string> {
  for (const disk of (await readdir(join(sysfs, "block"))).sort()) {
    const found = await readFile(join(sysfs, "block", disk, "serial"), "utf8").catch(() => "");
    if (found.trim() === serial) return `/dev/${disk}`;
  }
  throw new AgentError(Code.internal, `no disk has the serial number ${serial}`);
}

/** Where the data is, and the hashes if there are any; a disk without partitions is all data. */
async function partitions(disk: string): Promise<[data: string, hashes: string | undefined]> {
  const part = (number: number) => `${disk}${/\d$/.test(disk) ? "p" : ""}${number}`;
  const isThere = (path: string) =>
    stat(path).then(
      (found) => found.isBlockDevice(),
      () => false,
    );
  const hashes = (await isThere(part(2))) ? part(2) : undefined;
  return [(await isThere(part(1))) ? part(1) : disk, hashes];
}
