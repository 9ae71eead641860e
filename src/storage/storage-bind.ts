import { absolutePath } from "../base/absolute-path.ts";
import type { ContainerId } from "../base/ids.ts";
import { mountStorage } from "./mount-storage.ts";
import type { Storage } from "./storage.ts";

/** Driver `bind`: a file, a directory or a device node of the guest in a second place, as for a raw block volume. */
export async function bindStorage(
  storage: Storage,
  _owner: ContainerId | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const source = absolutePath(storage.source, "bind source");
  const options = storage.options.some((word) => word === "bind" || word === "rbind")
    ? storage.options
    : [...storage.options, "bind"];
  return mountStorage({ ...storage, source, fstype: "bind", options }, signal);
}
