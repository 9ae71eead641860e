/**
 * A node of a cluster as a guest: Debian with systemd from the disk of scripts/package/node-root.ts, on which whatever is
 * written is gone with the guest, and a second disk with what a user would bring. Commands are given to a shell of root's
 * at a port of QEMU's.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootGuest } from "../../scripts/boot-guest.ts";
import { buildFolder, ownArchitecture } from "../../scripts/image/architecture.ts";
import { guestKernel } from "../../scripts/image/guest-kernel.ts";
import { ownSystemRoot } from "../../scripts/image/system-root.ts";
import { nodeRoot, shellPort } from "../../scripts/package/node-root-file.ts";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { until } from "../fakes/until.ts";

const build = buildFolder(join(import.meta.dirname, "../.."), ownArchitecture());
/** What hangs ends with the test file; this is for who runs it by hand. */
const limitMs = 800_000;

/** What came of commands: exit status of the shell, and all that it and they printed. */
export type Done = { readonly code: number; readonly output: string };

/** A node that was booted. */
export type Node = AsyncDisposable & {
  /** Runs a script as root (`sh -eux`) in a folder of its own that looks like the checkout. Whatever it started ends with it. */
  run(script: string): Promise<Done>;
};

/** Why no node can be booted here; undefined when one can. */
export function whyNoNode(): string | undefined {
  const missing = whyNoVm();
  if (missing !== undefined) return missing;
  return disk() === undefined ? "the disk of a node is missing: scripts/package/node-root.ts" : undefined;
}

function disk(): string | undefined {
  return nodeRoot(guestKernel(ownSystemRoot(() => undefined).path));
}

/** Boots a node that finds the files of `brought` below /mnt. */
export async function bootNode(brought: string): Promise<Node> {
  const root = disk();
  if (root === undefined) throw new Error("no disk of a node");
  const folder = mkdtempSync(join(tmpdir(), "kata-node-"));
  const [second, socket] = [join(folder, "brought.ext4"), join(folder, "shell")];
  makeDisk(brought, second);
  const guest = await bootGuest({
    kernel: join(build, "guest/vmlinuz"),
    initrd: join(build, "guest/boot.cpio"),
    append: "root=/dev/vda rw rootfstype=ext4 systemd.getty_auto=no systemd.mask=getty.target",
    options: [
      ...["-drive", `if=none,id=root,file=${root},format=raw,snapshot=on`],
      ...["-device", "virtio-blk-pci,drive=root"],
      ...["-drive", `if=none,id=brought,file=${second},format=raw,readonly=on`],
      ...["-device", "virtio-blk-pci,drive=brought", "-device", "virtio-serial-pci"],
      ...["-chardev", `socket,id=shell,path=${socket},server=on,wait=off`],
      ...["-device", `virtserialport,chardev=shell,name=${shellPort}`],
    ],
  });
  const shell = await openShell(socket).catch(async (error) => {
    const text = guest.console();
    await guest.kill();
    throw new Error(`${error.message}; the console said:\n${text}`);
  });
  return {
    run: shell.run,
    [Symbol.asyncDispose]: async () => {
      shell.close();
      await guest.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A file system of a folder, with nothing mounted. */
function makeDisk(folder: string, file: string): void {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
  execFileSync("mkfs.ext4", ["-q", "-F", "-m", "0", "-d", folder, file, "600M"], { env, stdio: "pipe" });
}

type Shell = { run(script: string): Promise<Done>; close(): void };

async function openShell(path: string): Promise<Shell> {
  await until("the port of the shell", () => existsSync(path));
  const socket = connect(path).setEncoding("utf8");
  let said = "";
  socket.on("error", () => undefined);
  socket.on("data", (chunk: string) => {
    said += chunk;
  });
  let count = 0;
  const run = async (script: string): Promise<Done> => {
    count += 1;
    const end = `end-of-script-${count}`;
    said = "";
    socket.write(`cat >/run/script <<'${end}'\n${script}\n${end}\n${inOwnWorld}\necho "${end} $code"\n`);
    const found = (): RegExpExecArray | null => new RegExp(`^${end} (\\d+)$`, "m").exec(said);
    await until(script, () => found() !== null || socket.destroyed, limitMs).catch((error: Error) => {
      throw new Error(`${error.message}\n${said}`);
    });
    return { code: Number(found()?.[1] ?? -1), output: said.replace(/\r\n?/g, "\n") };
  };
  return { run, close: () => socket.destroy() };
}

/** In a control group of its own, so that nothing is left of what the script started. */
const inOwnWorld = `
rm -rf /root/work && mkdir /root/work && ln -s /mnt/* /root/work/
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
group=/sys/fs/cgroup/script && mkdir $group
(cd /root/work && echo $BASHPID >$group/cgroup.procs && exec sh -eux /run/script) </dev/null 2>&1; code=$?
echo 1 >$group/cgroup.kill; until rmdir $group; do sleep 0.1; done 2>/dev/null`;
