import type { Storage as StorageMessage } from "../gen/agent.ts";
import type { Storage } from "../sandbox/storage.ts";

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
  };
}
