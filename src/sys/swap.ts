import { kernel } from "./kernel.ts";

/** Swaps to a device or file that has been prepared for it, off the event loop. @throws EBUSY, EINVAL, ENOENT, EPERM. */
export async function swapOn(path: string): Promise<void> {
  await kernel.swapOn(path);
}
