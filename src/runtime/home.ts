import { mayHang } from "../sys/may-hang.ts";
import { readWithin } from "../sys/read-within.ts";
import type { OciProcess } from "./oci.ts";

/** Far more than an image lists; a longer one is looked at this far. */
const maxPasswdBytes = 1024 * 1024;

/**
 * The process with `HOME=/` when it is sent without HOME and its user is not in the `/etc/passwd` of `rootfs`
 * (agent-api 3.3.10 step 22); crun takes the home of a user that it finds there, and knows none for the others.
 */
export async function withHome(sent: OciProcess, rootfs: string): Promise<OciProcess> {
  const { env = [], user } = sent;
  if (env.some((entry) => entry.startsWith("HOME="))) return sent;
  const known = new RegExp(`^[^:\n]*:[^:\n]*:0*${user.uid}:`, "m").test(
    await mayHang(rootfs, () => passwdOf(rootfs)),
  );
  return known ? sent : { ...sent, env: [...env, "HOME=/"] };
}

/** The image is a stranger's: its links lead nowhere else, and a pipe in the place of the file holds nobody up. */
async function passwdOf(rootfs: string): Promise<string> {
  try {
    const bytes = await readWithin(rootfs, "/etc/passwd", maxPasswdBytes);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  } catch {
    return "";
  }
}
