import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { deviceNumber } from "../sys/device-number.ts";
import type { BlockDevice } from "./block-device.ts";

/**
 * The block device with a node of this name; undefined while there is none (agent-api 4.2: `mmioblk`, `nvdimm`).
 * @throws INTERNAL for a path outside `dev`, and for a node of another kind.
 */
export async function blockByNode(
  sysfs: string,
  dev: string,
  node: string,
): Promise<BlockDevice | undefined> {
  const path = absolutePath(node, "device path");
  if (!path.startsWith(`${dev}/`)) throw new AgentError(Code.internal, "device path is not below /dev");
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isBlockDevice()) throw new AgentError(Code.internal, "device path names no block device");
  const { major, minor } = deviceNumber(found.rdev);
  const sysfsPath = await realpath(join(sysfs, `dev/block/${major}:${minor}`)).catch(() => undefined);
  return sysfsPath === undefined ? undefined : { path, major, minor, sysfsPath };
}
