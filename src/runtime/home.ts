import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { OciProcess } from "./oci.ts";
import { scopedPath } from "./scoped-path.ts";

/** Far more than an image lists; a longer one is looked at this far. */
const maxPasswdBytes = 1024 * 1024;

/**
 * The process with `HOME=/` when it is sent without HOME and its user is not in the `/etc/passwd` of `rootfs`
 * (agent-api 3.3.10 step 22); crun takes the home of a user that it finds there, and knows none for the others.
 */
export function withHome(sent: OciProcess, rootfs: string): OciProcess {
  const { env = [], user } = sent;
  if (env.some((entry) => entry.startsWith("HOME="))) return sent;
  const known = new RegExp(`^[^:\n]*:[^:\n]*:0*${user.uid}:`, "m").test(passwdOf(rootfs));
  return known ? sent : { ...sent, env: [...env, "HOME=/"] };
}

/** The image is a stranger's: its links lead nowhere else, and a pipe in the place of the file holds nobody up. */
function passwdOf(rootfs: string): string {
  let fd: number | undefined;
  try {
    const path = join(rootfs, scopedPath(rootfs, "/etc/passwd"));
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const found = fstatSync(fd);
    if (!found.isFile()) return "";
    const bytes = Buffer.alloc(Math.min(found.size, maxPasswdBytes));
    return bytes.toString("utf8", 0, readSync(fd, bytes));
  } catch {
    return "";
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
