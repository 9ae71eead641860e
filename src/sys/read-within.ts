import { kernel } from "./kernel.ts";

/**
 * The beginning of a regular file, at most `maxBytes`, as seen by somebody whose root is `root`: no link leads out. One
 * way to libuv's pool and back, where a share that does not answer may hold it.
 * @throws EINVAL for what is no regular file; ENOENT and others of open(2).
 */
export function readWithin(root: string, path: string, maxBytes: number): Promise<Uint8Array> {
  return kernel.readWithin(root, path, maxBytes);
}
