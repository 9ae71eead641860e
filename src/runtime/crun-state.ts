/**
 * Primer. What crun keeps of a container below its `--root`, as far as the agent itself goes by it:
 *
 *     <root>/<id>/exec.fifo     crun's init waits here; the program runs when a byte comes. Gone once it was started
 *     <root>/<id>/status, …     what later runs of crun know the container by
 *
 * A run of crun takes milliseconds, most of them for its start and its end. `crun start` opens the FIFO, unlinks it and
 * writes a byte; `crun delete` of what has ended removes the control group and the folder (crun 0.20 to 1.29,
 * src/libcrun/status.c and container.c). What they do beyond that is for hooks, systemd and Intel RDT, of which the
 * documents that we write have nothing. So both are done here, and anything that is not as expected is left for crun,
 * which then does it or says what is wrong.
 */
import { closeSync, constants, fstatSync, openSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

const go = Uint8Array.of(0);

/**
 * Lets the program of a created container run. `folder` is the container's, below crun's root.
 * @returns false when it was not in the state for it: started before, ended, or nothing that is known here.
 */
export function releaseInit(folder: string): boolean {
  const path = join(folder, "exec.fifo");
  let fifo: number | undefined;
  try {
    // ENOENT: started before. ENXIO: nobody reads any more, init has gone.
    fifo = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    if (!fstatSync(fifo).isFIFO()) return false;
    unlinkSync(path);
    return writeSync(fifo, go) === go.length;
  } catch {
    return false;
  } finally {
    if (fifo !== undefined) closeSync(fifo);
  }
}

/** Has crun know nothing more of a container. False when that could not be done, or when it knew nothing before. */
export function forgetState(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true });
    return true;
  } catch {
    return false;
  }
}
