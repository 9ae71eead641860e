import { kernel } from "./kernel.ts";

/** How openat2(2) treats what would lead out of the directory or over links; a sum of them is allowed. */
export const Resolve = {
  noCrossDevice: 1,
  noMagicLinks: 2,
  noSymlinks: 4,
  /** Leaving the directory fails with EXDEV. */
  beneath: 8,
  /** The directory is `/` for all links and `..` met on the way. */
  inRoot: 16,
} as const;

/** `flags` as of `node:fs` constants (O_…), `mode` for a file that is created, `resolve` a sum of {@link Resolve}. */
export type OpenWithin = { flags: number; mode?: number; resolve: number };

const closeOnExec = 0o2000000;

/**
 * Opens `path` as seen from the open directory `directory`, off the event loop.
 * @returns a bare number, close-on-exec; the caller closes it.
 * @throws EXDEV, ELOOP when the path leaves the directory; ENOENT and others of open(2).
 */
export function openWithin(directory: number, path: string, options: OpenWithin): Promise<number> {
  return kernel.openAt(directory, path, options.flags | closeOnExec, options.mode ?? 0, options.resolve);
}
