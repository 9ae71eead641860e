import { kernel } from "./kernel.ts";

/** Sets the wall clock of the whole machine, as time since 1970. @throws EPERM, EINVAL; TypeError out of range. */
export function setWallClock(seconds: number, microseconds: number): void {
  kernel.setClock(seconds, microseconds);
}
