import { stat } from "node:fs/promises";
import type { OciSpec } from "../runtime/oci.ts";
import { mayHang } from "../sys/may-hang.ts";

const permissionBits = 0o7777;

/**
 * The document with modes for its devices: one that was sent without has that of the node of the same name in the
 * guest, or none at all (agent-api 3.3.3). @throws INTERNAL when what is there does not answer.
 */
export async function withGuestModes(spec: OciSpec): Promise<OciSpec> {
  const { linux } = spec;
  if (linux?.devices?.some(isWithout) !== true) return spec;
  const devices = [];
  for (const device of linux.devices) {
    devices.push(isWithout(device) ? { ...device, fileMode: await guestMode(device.path) } : device);
  }
  return { ...spec, linux: { ...linux, devices } };
}

function isWithout({ path, fileMode }: { path: string; fileMode?: number }): boolean {
  return fileMode === 0 && path.startsWith("/dev/");
}

/** Off the event loop: the path is the host's word and may lead onto its share. */
function guestMode(path: string): Promise<number> {
  return mayHang(path, async () => {
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? 0 : found.mode & permissionBits;
  });
}
