/**
 * Primer. A hot-plugged NIC appears some time after the request that wants it, or before. So one looks first; then
 * opens the event socket and looks again, for what came in between; and then looks at each event, since an event can
 * be lost but sysfs cannot.
 */
import { readdir, readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { abortable, deadline } from "../base/deadline.ts";
import { UeventSocket } from "../sys/netlink.ts";
import type { Uevent } from "../sys/uevent.ts";
import { span } from "../trace/span.ts";
import { type PciPath, pciDeviceFolder } from "./pci-path.ts";

/** `sysfs`: where it is mounted. `timeoutMs`: how long a device may take to come. */
export type DeviceWait = { sysfs: string; timeoutMs: number; signal?: AbortSignal };

/**
 * Waits until a network device is there below a PCI device (agent-api 3.18 step 1, 5.2).
 * @throws INTERNAL with `Link not found` when the time is over.
 */
export async function netDeviceArrived(path: PciPath, wait: DeviceWait): Promise<void> {
  if (await isThere(wait.sysfs, path)) return;
  await span("net device wait", { "kata.timeout_ms": wait.timeoutMs }, () => awaitEvent(path, wait));
}

/** The network device directly below the PCI device: a physical NIC. A virtio NIC is one level further down. */
export async function physicalNetDevice(sysfs: string, path: PciPath): Promise<string | undefined> {
  const folder = await pciDeviceFolder(sysfs, path);
  if (folder === undefined) return undefined;
  return (await readdir(join(folder, "net")).catch(() => []))[0];
}

async function awaitEvent(path: PciPath, { sysfs, timeoutMs, signal }: DeviceWait): Promise<void> {
  let news = Promise.withResolvers<void>();
  const onEvent = (event: Uevent) => {
    if (event.action === "add" && event.subsystem === "net") news.resolve();
  };
  using _events = new UeventSocket(onEvent, () => news.resolve());
  const limit = deadline(timeoutMs, signal);
  try {
    while (!(await isThere(sysfs, path))) {
      await abortable(news.promise, limit.signal);
      news = Promise.withResolvers<void>();
    }
  } catch (error) {
    if (!limit.signal.aborted || signal?.aborted) throw error;
    throw new AgentError(Code.internal, `interface not available: Link not found within ${timeoutMs} ms`);
  } finally {
    limit.done();
  }
}

async function isThere(sysfs: string, path: PciPath): Promise<boolean> {
  const folder = await pciDeviceFolder(sysfs, path);
  if (folder === undefined) return false;
  const links = join(sysfs, "class/net");
  for (const name of await readdir(links).catch(() => [])) {
    const target = await readlink(join(links, name)).catch(() => "");
    if (resolve(links, target).startsWith(`${folder}/`)) return true;
  }
  return false;
}
