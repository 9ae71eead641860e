import { absolutePath } from "../base/absolute-path.ts";
import type { StorageDriver } from "./storage.ts";
import type { Watcher } from "./watcher.ts";

/**
 * Driver `watchable-bind`: a copy of a source of the host on which inotify works (agent-api 7). For the pod, without a
 * container, it does nothing.
 */
export function watchableStorage(watcher: Watcher): StorageDriver {
  return async ({ source, mountPoint }, owner, signal) => {
    if (owner === undefined) return undefined;
    return watcher.add(absolutePath(source, "watchable source"), mountPoint, signal);
  };
}
