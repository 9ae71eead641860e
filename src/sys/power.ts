import { kernel } from "./kernel.ts";

const powerOffCommand = 0x4321fedc;

/** Writes what the page cache holds to all disks; takes as long as they do. */
export async function syncDisks(): Promise<void> {
  await kernel.syncDisks();
}

/**
 * Switches the machine off, at once: nothing is stopped or synced first. In a pid namespace other than the first one
 * it ends that namespace instead. Does not return on success. @throws EPERM.
 */
export function powerOff(): void {
  kernel.reboot(powerOffCommand);
}
