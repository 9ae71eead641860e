import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { guestPaths } from "../base/guest-paths.ts";
import type { ContainerId } from "../base/ids.ts";
import { mayHang } from "../sys/may-hang.ts";
import { mountStorage } from "./mount-storage.ts";
import { mustNotLeadOut } from "./must-not-lead-out.ts";
import type { Storage } from "./storage.ts";

const createDirectory = "io.katacontainers.volume.overlayfs.create_directory=";

/**
 * Driver `overlayfs`: layers over each other; with the marker option the upper and work directories are the
 * container's own (agent-api 4.2).
 */
export async function overlayStorage(
  storage: Storage,
  owner: ContainerId | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  for (const option of storage.driverOptions) {
    if (!option.startsWith(createDirectory)) continue;
    const folder = absolutePath(option.slice(createDirectory.length), "directory to create");
    await mayHang(folder, async () => {
      await mustNotLeadOut(folder);
      await mkdir(folder, { recursive: true, mode: 0o755 });
    });
  }
  if (!storage.options.includes("io.katacontainers.fs-opt.overlay-rw")) return mountStorage(storage, signal);
  if (owner === undefined) throw new AgentError(Code.internal, "a writable overlay needs a container");
  const upper = join(guestPaths.base, owner, "upper");
  const work = join(guestPaths.base, owner, "work");
  await mkdir(upper, { recursive: true, mode: 0o755 });
  await mkdir(work, { recursive: true, mode: 0o755 });
  const options = [...storage.options, `upperdir=${upper}`, `workdir=${work}`];
  return mountStorage({ ...storage, fstype: "overlay", options }, signal);
}
