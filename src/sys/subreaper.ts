import { kernel } from "./kernel.ts";

/**
 * Makes this process the parent of every orphan below it, as PID 1 is by nature; that is how the init process of a
 * container becomes our child when crun, which forked it, has ended. @throws EINVAL on kernels before 3.4.
 */
export function becomeChildSubreaper(): void {
  kernel.setChildSubreaper(true);
}
