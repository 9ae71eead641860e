import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** Where a SCSI disk is on the host's virtio controller: channel 0, these decimal numbers. */
export type ScsiAddress = { readonly target: number; readonly lun: number };

/** What virtio-scsi has room for: 256 targets with 16,384 units each (virtio 1.2, 5.6.6.1). */
const maxTarget = 255;
const maxLun = 16_383;

/** Reads `<target>:<lun>` of a request (agent-api 4.6). @throws INTERNAL. */
export function scsiAddress(text: string): ScsiAddress {
  const [, target, lun] = /^(\d{1,3}):(\d{1,5})$/.exec(text) ?? [];
  const address = { target: Number(target), lun: Number(lun) };
  if (!(address.target <= maxTarget && address.lun <= maxLun)) {
    throw new AgentError(Code.internal, "invalid SCSI address");
  }
  return address;
}
