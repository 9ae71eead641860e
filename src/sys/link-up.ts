import { kernel } from "./kernel.ts";

/** Sets a network interface up, such as `lo`. @throws ENODEV, EPERM. */
export function setLinkUp(name: string): void {
  kernel.setLinkUp(name);
}
