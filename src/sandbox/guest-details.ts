import { access, readFile } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

const memoryDir = "/sys/devices/system/memory";

/**
 * Size of a memory block in bytes, the unit of memory hot-plug; 0 when the kernel has none (agent-api 3.26).
 * @throws INTERNAL when the kernel's file holds no hexadecimal number.
 */
export async function memoryBlockBytes(dir = memoryDir): Promise<bigint> {
  const text = await readFile(`${dir}/block_size_bytes`, "utf8").catch(() => undefined);
  if (text === undefined) return 0n;
  const digits = text.trim();
  if (!/^[0-9a-f]+$/i.test(digits))
    throw new AgentError(Code.internal, "memory block size is not hexadecimal");
  return BigInt(`0x${digits}`);
}

/** Whether memory can be added by writing its address to the probe file (agent-api 3.26). */
export function hasMemoryProbe(dir = memoryDir): Promise<boolean> {
  return access(`${dir}/probe`).then(
    () => true,
    () => false,
  );
}

/** Whether the kernel filters system calls, from `/proc/self/status`; crun is always built with libseccomp. */
export async function hasSeccomp(statusFile = "/proc/self/status"): Promise<boolean> {
  return /^Seccomp:/m.test(await readFile(statusFile, "utf8").catch(() => ""));
}
