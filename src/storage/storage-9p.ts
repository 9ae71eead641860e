import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ContainerId } from "../base/ids.ts";
import { loadKernelModule } from "../devices/kernel-module.ts";
import { hasFileSystem } from "./file-system-kind.ts";
import { mountStorage } from "./mount-storage.ts";
import type { Storage, StorageDriver } from "./storage.ts";

/**
 * Driver `9p`: a share with the host over the 9P protocol, where the kernel has that (agent-api 4.2). `mayLoad`: the
 * kernel's modules are ours to load.
 */
export function nineStorage(mayLoad: boolean): StorageDriver {
  return async (
    storage: Storage,
    _owner: ContainerId | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> => {
    if (!(await hasFileSystem("9p")) && mayLoad) {
      for (const module of ["9pnet_virtio", "9p"]) await loadKernelModule(module, []).catch(() => undefined);
    }
    if (!(await hasFileSystem("9p"))) {
      throw new AgentError(Code.internal, "the guest's kernel has no 9p file system");
    }
    return mountStorage({ ...storage, fstype: "9p" }, signal);
  };
}
