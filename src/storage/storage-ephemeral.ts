import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ContainerId } from "../base/ids.ts";
import { mayHang } from "../sys/may-hang.ts";
import { giveToGroup } from "./give-to-group.ts";
import { hugePages, reserveHugePages } from "./huge-pages.ts";
import { mountStorage } from "./mount-storage.ts";
import type { Storage, StorageDriver } from "./storage.ts";
import { numberOption } from "./storage-option.ts";

/**
 * Driver `ephemeral`: memory of the pod, a tmpfs or huge pages; lives until the guest ends (agent-api 4.2). `fsgid=` is
 * for us, all other options are the kernel's. `ownsMachine`: the pools of huge pages are ours to change.
 */
export function ephemeralStorage(ownsMachine: boolean): StorageDriver {
  return async (storage: Storage, _owner: ContainerId | undefined, signal: AbortSignal | undefined) => {
    if (storage.fstype !== "hugetlbfs") return memoryStorage(storage, signal);
    if (ownsMachine) return hugeStorage(storage, signal);
    throw new AgentError(Code.internal, "EPERM: huge pages are not this agent's to change");
  };
}

async function memoryStorage(storage: Storage, signal: AbortSignal | undefined): Promise<undefined> {
  const gid = numberOption(storage.options, "fsgid", 10);
  const options = storage.options.filter((option) => !option.startsWith("fsgid="));
  await mountStorage({ ...storage, options }, signal);
  if (gid !== undefined) await mayHang(storage.mountPoint, () => giveToGroup(storage.mountPoint, gid));
}

async function hugeStorage(storage: Storage, signal: AbortSignal | undefined): Promise<undefined> {
  const giveBack = await reserveHugePages(hugePages(storage.options));
  try {
    await mountStorage(storage, signal);
  } catch (error) {
    await giveBack();
    throw error;
  }
}
