import { kernel } from "./kernel.ts";

/** The two ends of a pipe as bare numbers: one usually goes to a child, the other into a `Descriptor`. */
export type Pipe = { readEnd: number; writeEnd: number };

/** Makes a pipe. Both ends are close-on-exec and blocking; the caller closes both. @throws EMFILE, ENFILE. */
export function makePipe(): Pipe {
  const [readEnd, writeEnd] = kernel.pipe();
  return { readEnd, writeEnd };
}

/**
 * Sets how many bytes a pipe holds, either end will do.
 * @returns the size the kernel chose, a power of two of at least a page.
 * @throws EPERM beyond /proc/sys/fs/pipe-max-size, EBUSY when more is in it already.
 */
export function setPipeSize(fd: number, bytes: number): number {
  return kernel.setPipeSize(fd, bytes);
}

/** Closes a bare number, such as the end of a pipe a child has inherited. Precondition: nobody else closes it too. */
export function closeFd(fd: number): void {
  kernel.closeDescriptor(fd);
}
