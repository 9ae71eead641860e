import { kernel } from "./kernel.ts";

/** Sets the host name of our uts namespace, at most 64 bytes. @throws EINVAL, EPERM. */
export function setHostname(name: string): void {
  kernel.setHostname(name);
}
