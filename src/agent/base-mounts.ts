import { lstat, mkdir, readlink, symlink, unlink } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { MountFlag, mount } from "../sys/mount.ts";
import { readMounts } from "../sys/read-mounts.ts";
import type { Role } from "./role.ts";

type BaseMount = { fstype: string; source: string; target: string; flags: number; data: string };

const { noSuid, noDev, noExec, relAtime } = MountFlag;

/** What a guest's first process mounts, in order (agent-api 1.2 step 2). */
const baseMounts: readonly BaseMount[] = [
  row("proc", "/proc", noSuid | noDev | noExec),
  row("sysfs", "/sys", noSuid | noDev | noExec),
  { ...row("devtmpfs", "/dev", noSuid), source: "dev" },
  row("tmpfs", "/dev/shm", noSuid | noDev),
  row("devpts", "/dev/pts", noSuid | noExec),
  row("tmpfs", "/run", noSuid | noDev),
];
/** Version 2 only: the reference also offers version 1, which current kernels of Kata switch off (agent-api 1.2 step 4). */
const cgroupMount: BaseMount = {
  ...row("cgroup2", "/sys/fs/cgroup", noSuid | noDev | noExec | relAtime),
  data: "nsdelegate",
};

function row(fstype: string, target: string, flags: number): BaseMount {
  return { fstype, source: fstype, target, flags, data: "" };
}

/** Runs `work` as a step of the trace about one file system. */
type Step = (fstype: string, work: () => Promise<void>) => Promise<void>;

/** Mounts the file systems that everything else needs, each as a step. @throws INTERNAL; only devtmpfs may fail. */
export async function mountBase(role: Role, step: Step): Promise<void> {
  for (const base of baseMounts) {
    // A machine's devtmpfs is one for all: seen from a namespace it is the host's own /dev.
    if (base.fstype === "devtmpfs" && role !== "machine-init") continue;
    await step(base.fstype, () => ensureMounted(base)).catch((error) => {
      if (base.fstype !== "devtmpfs") throw AgentError.from(error, `mount ${base.target}`);
    });
  }
}

/** Mounts the control groups. @throws INTERNAL. */
export async function mountCgroups(): Promise<void> {
  await ensureMounted(cgroupMount).catch((error) => {
    throw AgentError.from(error, `mount ${cgroupMount.target}`);
  });
}

/** Lets `/dev/ptmx` mean the terminals of `/dev/pts` (agent-api 1.2 step 5). Only on a guest's own devices. */
export async function linkPtmx(): Promise<void> {
  const found = await lstat("/dev/ptmx").catch(() => undefined);
  if (found?.isSymbolicLink() && (await readlink("/dev/ptmx")).endsWith("pts/ptmx")) return;
  if (found !== undefined) await unlink("/dev/ptmx");
  await symlink("/dev/pts/ptmx", "/dev/ptmx");
}

async function ensureMounted(base: BaseMount): Promise<void> {
  await mkdir(base.target, { recursive: true, mode: 0o755 }).catch((error) => {
    // mkdir of an existing directory on a read-only root is an error on some file systems.
    if (error.code !== "EROFS") throw error;
  });
  const mounted = await readMounts().catch(() => []);
  if (mounted.some((entry) => entry.mountPoint === base.target && entry.fsType === base.fstype)) return;
  try {
    const { source, target, fstype: type, flags, data } = base;
    await mount({ source, target, type, flags, data });
  } catch (error) {
    // Busy: the very same file system is there already, such as a devtmpfs that an earlier stage moved here.
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
  }
}
