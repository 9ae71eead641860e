import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GuestKernel } from "../image/guest-kernel.ts";

const folder = join(import.meta.dirname, "../../.cache/node-root");

/** What a node has beside the essential packages: what docs/node.md and its like call, and what Kata's hosts have. */
export const nodePackages = [
  ...[
    "systemd-sysv",
    "kmod",
    "iproute2",
    "procps",
    "sudo",
    "curl",
    "socat",
    "zstd",
    "man-db",
    "bash-completion",
  ],
  ...["libstdc++6", "libatomic1"],
  // For the agent that plays a guest there.
  ...["crun", "busybox-static"],
];

/** The name of the port by which a node takes commands, as QEMU and the unit below have it. */
export const shellPort = "shell";

/** Files that make a Debian without settings a node that takes commands: path, mode, text. */
export const nodeFiles: readonly (readonly [path: string, mode: number, text: string])[] = [
  ["etc/hostname", 0o644, "node\n"],
  ["etc/hosts", 0o644, "127.0.0.1 localhost node\n"],
  ["etc/systemd/system/shell.service", 0o644, "[Service]\nExecStart=/usr/local/sbin/shell\n"],
  // There is no udev, for which systemd would wait with a disk of fstab, and which would call the port by its name.
  [
    "usr/local/sbin/shell",
    0o755,
    `#!/bin/bash
mount -o ro /dev/vdb /mnt
for port in /sys/class/virtio-ports/*; do
  if [ "$(cat "$port/name")" = ${shellPort} ]; then exec bash <>"/dev/\${port##*/}" >&0 2>&0; fi
done
`,
  ],
];

/** Where the disk of a node with this kernel's modules lies once it is made: another list makes another disk. */
export function nodeRootFile(kernel: GuestKernel): string {
  const made = JSON.stringify([nodePackages, nodeFiles]);
  const key = createHash("sha256").update(made).digest("hex").slice(0, 8);
  return join(folder, `${kernel.release}-${key}.ext4`);
}

/** The disk of a node; undefined when none was made. */
export function nodeRoot(kernel: GuestKernel): string | undefined {
  const file = nodeRootFile(kernel);
  return existsSync(file) ? file : undefined;
}
