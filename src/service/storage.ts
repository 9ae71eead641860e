import type { FSGroup, Storage as StorageMessage } from "../gen/agent.ts";
import { FSGroupChangePolicy } from "../gen/types.ts";
import type { FsGroup, Storage } from "../storage/storage.ts";

/** A storage of a request in the words of the sandbox room. */
export function storageFrom(message: StorageMessage): Storage {
  return {
    driver: message.driver,
    driverOptions: message.driver_options,
    source: message.source,
    fstype: message.fstype,
    options: message.options,
    mountPoint: message.mount_point,
    shared: message.shared,
    fsGroup: message.fs_group === undefined ? undefined : fsGroupFrom(message.fs_group),
  };
}

/** A policy that is not known means the safe one: every file gets the group. */
function fsGroupFrom(message: FSGroup): FsGroup {
  const onMismatch = message.group_change_policy === FSGroupChangePolicy.OnRootMismatch;
  return { gid: message.group_id, policy: onMismatch ? "onRootMismatch" : "always" };
}
