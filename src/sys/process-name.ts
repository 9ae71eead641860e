import { kernel } from "./kernel.ts";

/** Sets what `ps` and /proc/self/comm show for us; the kernel keeps 15 bytes. */
export function setProcessName(name: string): void {
  kernel.setProcessName(name);
}
