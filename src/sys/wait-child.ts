import type { Exit } from "../base/exit.ts";
import type { Waited } from "./kernel-functions.ts";

/** Which children waitid(2) looks at: any of them, one pid, one pidfd. */
export const waitAll = 0;
export const waitPid = 1;
export const waitPidfd = 3;
/** Options of waitid(2): not to wait; only what ended; leave the zombie there; also children made with clone(2). */
export const waitNoHang = 1;
export const waitExited = 4;
export const waitLeave = 0x01000000;
export const waitAnyKind = 0x40000000;

const codeExited = 1;

/** How the process ended that waitid(2) told of. Any `si_code` but CLD_EXITED is a death by signal. */
export function exitOf([, code, status]: Waited): Exit {
  return code === codeExited ? { how: "exited", code: status } : { how: "signaled", signal: status };
}
