/**
 * Space of the guest's file systems (agent-api 3.32).
 *
 * A file system whose other side is dead never answers, and each question holds one of the few threads that all
 * file work shares. So a question has a limit, and one that has not been answered is not asked again.
 */
import type { StatsFs } from "node:fs";
import { statfs } from "node:fs/promises";
import { abortable, deadline } from "../base/deadline.ts";
import type { Metric, Sample } from "../base/metric.ts";
import { mayHang } from "../sys/may-hang.ts";
import type { MountInfo } from "../sys/mount-info.ts";
import { readMounts } from "../sys/read-mounts.ts";

const realTypes = new Set(["ext4", "xfs", "btrfs", "vfat", "overlay"]);
const timeoutMs = 1_000;
const unanswered = new Set<string>();

type Look = (path: string) => Promise<StatsFs>;

/** Bytes and inodes of every writable file system with a store of its own, each device once. */
export async function filesystemMetrics(
  mounts?: readonly MountInfo[],
  look: Look = statfs,
): Promise<Metric[]> {
  const bytes: Sample[] = [];
  const inodes: Sample[] = [];
  const asked = onceEach(mounts ?? (await readMounts())).map(async (mount) => {
    const found = await ask(mount.mountPoint, look);
    if (found === undefined) return;
    const { bsize, blocks, bfree, bavail, files, ffree } = found;
    const labels = { mount: mount.mountPoint, device: mount.source.split("/").at(-1) || mount.device };
    bytes.push(...figures(labels, blocks * bsize, (blocks - bfree) * bsize, bavail * bsize));
    inodes.push(...figures(labels, files, files - ffree, ffree));
  });
  await Promise.all(asked);
  return [
    gauge("kata_guest_filesystem_bytes", "Space of the guest's file systems in bytes.", bytes),
    gauge("kata_guest_filesystem_inodes", "Inodes of the guest's file systems.", inodes),
  ];
}

function onceEach(mounts: readonly MountInfo[]): MountInfo[] {
  const seen = new Set<string>();
  return mounts.filter(({ fsType, superOptions, device }) => {
    if (!realTypes.has(fsType) || superOptions.includes("ro") || seen.has(device)) return false;
    seen.add(device);
    return true;
  });
}

async function ask(path: string, look: Look): Promise<StatsFs | undefined> {
  if (unanswered.has(path)) return undefined;
  unanswered.add(path);
  const answer = mayHang(path, () => look(path)).finally(() => unanswered.delete(path));
  const limit = deadline(timeoutMs);
  try {
    return await abortable(answer, limit.signal);
  } catch {
    return undefined;
  } finally {
    limit.done();
  }
}

function figures(
  labels: Readonly<Record<string, string>>,
  total: number,
  used: number,
  available: number,
): Sample[] {
  return Object.entries({ total, used, available }).map(([item, value]) => [{ ...labels, item }, value]);
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, kind: "gauge", samples };
}
