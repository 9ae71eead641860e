/** What the VM factory and guest swap ask of the kernel (agent-api 3.27, 3.28, 3.30). */

import { absolutePath } from "../base/absolute-path.ts";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { setWallClock } from "../sys/clock.ts";
import { mayHang } from "../sys/may-hang.ts";
import { reseedRandom } from "../sys/random.ts";
import { swapOn } from "../sys/swap.ts";

const maxSeedBytes = 64 * 1024;
const maxMicroseconds = 999_999n;

/** Reseeds the random number generator; all bytes count. @throws INTERNAL for none, too many, or a refusal. */
export function reseedGuest(seed: Uint8Array): void {
  if (seed.length === 0 || seed.length > maxSeedBytes)
    throw new AgentError(Code.internal, "seed has a bad length");
  told("reseed", () => reseedRandom(seed));
}

/** Sets the guest's wall clock. @throws INTERNAL for a time that is none, or a refusal. */
export function setGuestClock(seconds: bigint, microseconds: bigint): void {
  const sound = seconds >= 0n && seconds < 2n ** 53n && microseconds >= 0n && microseconds <= maxMicroseconds;
  if (!sound) throw new AgentError(Code.internal, "EINVAL: no such time");
  told("set the clock", () => setWallClock(Number(seconds), Number(microseconds)));
}

/** Swaps to a device of the guest that the host has prepared. @throws INTERNAL. */
export async function addSwap(path: string): Promise<void> {
  const device = absolutePath(path, "swap path");
  await mayHang(device, () => swapOn(device)).catch((error) => {
    throw AgentError.from(error, "swap on");
  });
}

function told(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw AgentError.from(error, what);
  }
}
