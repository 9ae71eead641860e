import { kernel } from "./kernel.ts";

/** A pseudo terminal as bare numbers: the slave goes to a child, the master into a `Descriptor`. */
export type Terminal = { master: number; slave: number };
/** In characters. */
export type WindowSize = { rows: number; columns: number };

/** Opens a pseudo terminal. Both ends are close-on-exec; the caller closes both. @throws ENOSPC, EMFILE. */
export function openTerminal(): Terminal {
  const [master, slave] = kernel.openTerminal();
  return { master, slave };
}

/** Sets the window size, by either end; the foreground processes get SIGWINCH. @throws ENOTTY, EIO. */
export function setWindowSize(fd: number, { rows, columns }: WindowSize): void {
  kernel.setWindowSize(fd, rows, columns);
}

/** The window size. @throws ENOTTY. */
export function getWindowSize(fd: number): WindowSize {
  const [rows, columns] = kernel.getWindowSize(fd);
  return { rows, columns };
}
