import { kernel } from "./kernel.ts";

/**
 * Gives the kernel's random number generator fresh entropy and makes it take a new seed, as a cloned guest must
 * (random(4): RNDADDENTROPY, RNDRESEEDCRNG). At most 64 KiB. @throws EPERM, ENOENT; TypeError beyond the limit.
 */
export function reseedRandom(bytes: Uint8Array): void {
  kernel.reseedRandom(bytes);
}
