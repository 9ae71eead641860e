/** Brings hot-plugged processors and memory into use (agent-api 3.24, 3.25). Directories as in `/sys/devices/system`. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { delay } from "../base/deadline.ts";
import { writeAttribute } from "../devices/write-attribute.ts";

const systemDir = "/sys/devices/system";
/** The kernel tells of a new processor some time after the host has plugged it (agent-api 3.24 step 1). */
const attempts = 100;
const retryMs = 50;

/**
 * Switches processors on until `wanted` are in use.
 * @throws INTERNAL after five seconds without that many; the reason of `signal`.
 */
export async function onlineCpus(wanted: number, signal: AbortSignal, dir = systemDir): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const missing = wanted - countCpus(await onlineList(dir));
    if (missing <= 0) return;
    await switchOn(join(dir, "cpu"), /^cpu\d+$/, missing);
    if (countCpus(await onlineList(dir)) >= wanted) return;
    await delay(retryMs, signal);
  }
  throw new AgentError(Code.internal, `${wanted} processors did not come online`);
}

/** Switches every memory block on that is off. A block that cannot be is left alone, as the reference does. */
export async function onlineMemory(dir = systemDir): Promise<void> {
  await switchOn(join(dir, "memory"), /^memory\d+$/, Number.POSITIVE_INFINITY);
}

/** Tells the kernel of memory at these addresses. @throws INTERNAL at the first that it refuses. */
export async function probeMemory(addresses: readonly bigint[], dir = systemDir): Promise<void> {
  for (const address of addresses) {
    try {
      await writeAttribute(join(dir, "memory/probe"), `0x${address.toString(16)}`);
    } catch (error) {
      throw AgentError.from(error, "probe memory");
    }
  }
}

/** The processors in use, as the kernel lists them: `0-3,5`. @throws INTERNAL. */
export async function onlineList(dir = systemDir): Promise<string> {
  try {
    return (await readFile(join(dir, "cpu/online"), "utf8")).trim();
  } catch (error) {
    throw AgentError.from(error, "list processors");
  }
}

/** How many processors a kernel list such as `0-3,5` names. Source: cpuset(7), "List format". */
export function countCpus(list: string): number {
  const ranges = list.split(",").filter(Boolean);
  return ranges.reduce((count, range) => {
    const [first, last = first] = range.split("-").map(Number);
    return count + (last ?? 0) - (first ?? 0) + 1;
  }, 0);
}

async function switchOn(dir: string, names: RegExp, limit: number): Promise<void> {
  let left = limit;
  for (const name of await readdir(dir).catch(() => [])) {
    if (left <= 0) return;
    if (!names.test(name)) continue;
    const file = join(dir, name, "online");
    // Without the file the processor cannot be switched off, and so it is on.
    if ((await readFile(file, "utf8").catch(() => "1")).trim() !== "0") continue;
    const done = await writeFile(file, "1", { flag: "r+" }).then(
      () => true,
      () => false,
    );
    if (done) left -= 1;
  }
}
