import { readFile } from "node:fs/promises";
import type { Container } from "./container.ts";
import type { Process } from "./process.ts";

const sigkill = 9;
const sigterm = 15;

/**
 * Sends a signal to one process. SIGTERM to an init that neither handles, ignores nor blocks it is sent as SIGKILL:
 * the kernel would not deliver it to the first process of a pid namespace (agent-api 3.7).
 */
export async function signalProcess(container: Container, process: Process, signal: number): Promise<void> {
  const lost = process === container.init && signal === sigterm && !(await expectsSigterm(process.pid));
  process.signal(lost ? sigkill : signal);
}

async function expectsSigterm(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return hasDisposition(status, sigterm);
}

/** True when the text of `/proc/<pid>/status` shows the signal as caught, ignored or blocked (proc(5)). */
export function hasDisposition(status: string, signal: number): boolean {
  const bit = 1n << BigInt(signal - 1);
  const masks = status.matchAll(/^Sig(?:Blk|Ign|Cgt):\s*([0-9a-f]+)$/gm);
  return masks.some(([, mask]) => (BigInt(`0x${mask}`) & bit) !== 0n);
}
