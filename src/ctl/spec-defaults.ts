/*
 * What containerd puts into every Linux container that asks for nothing special, after the Go shim has taken out what
 * only makes sense on the host (image-and-runtime 4.3). The values are containerd's public defaults.
 */

import { guestPaths } from "../base/guest-paths.ts";

/** A mount as it stands in the protobuf form of the OCI document. */
export type SpecMount = {
  readonly destination: string;
  readonly source: string;
  readonly type: string;
  readonly options: string[];
};

/** Where CreateSandbox has mounted the memory that all containers of a pod share. */
export const sandboxShmPath = `${guestPaths.sandbox}/shm`;

/** The search path that containerd gives. */
export const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Capabilities of a container that is not privileged. */
export const defaultCapabilities: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** Hidden from the container. */
export const maskedPaths: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

/** Visible to the container, but not to be written. */
export const readonlyPaths: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/**
 * The mounts of a container. `rootless`: the agent lives in a user namespace that maps one user only, so no group 5
 * for terminals.
 */
export function defaultMounts(rootless: boolean, ownShm: boolean): SpecMount[] {
  const quiet = ["nosuid", "noexec", "nodev"];
  const pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
  const shm: SpecMount = ownShm
    ? {
        destination: "/dev/shm",
        source: "shm",
        type: "tmpfs",
        options: [...quiet, "mode=1777", "size=65536k"],
      }
    : { destination: "/dev/shm", source: sandboxShmPath, type: "bind", options: ["rbind"] };
  return [
    { destination: "/proc", source: "proc", type: "proc", options: quiet },
    {
      destination: "/dev",
      source: "tmpfs",
      type: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      source: "devpts",
      type: "devpts",
      options: rootless ? pts : [...pts, "gid=5"],
    },
    { destination: "/dev/mqueue", source: "mqueue", type: "mqueue", options: quiet },
    { destination: "/sys", source: "sysfs", type: "sysfs", options: [...quiet, "ro"] },
    {
      destination: "/sys/fs/cgroup",
      source: "cgroup",
      type: "cgroup",
      options: [...quiet, "relatime", "ro"],
    },
    shm,
  ];
}
