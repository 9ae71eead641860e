/**
 * Primer. `/dev/kmsg` gives one record of the kernel's log per read, from the oldest that is still there, and then what
 * comes. It is a ring: who writes never waits, and who reads too slowly is told by EPIPE and goes on at the oldest.
 *
 * A record is `prefix,sequence,microseconds,flags;text`, a line feed, then lines ` KEY=value` about a device. The prefix
 * is `facility * 8 + severity` of syslog(3). A byte that is no printable ASCII stands as `\xNN`
 * (Documentation/ABI/testing/dev-kmsg).
 */
import { constants, openSync } from "node:fs";
import { Descriptor } from "./descriptor.ts";

/** A record of the kernel's log. */
export type KernelLogRecord = {
  /** Of syslog(3): 0 (emergency) to 7 (debug). */
  readonly severity: number;
  /** Of syslog(3): 0 is the kernel itself; whoever else writes there has another one. */
  readonly facility: number;
  readonly sequence: number;
  /** On the monotonic clock. */
  readonly atUs: number;
  readonly text: string;
};

const heading = /^(\d{1,9}),(\d{1,15}),(\d{1,15})(?:,[^;]*)?;(.*)$/;

/** The records in what was read; lines that are none, such as those about devices, are left out. */
export function parseKernelLog(read: string): KernelLogRecord[] {
  return read.split("\n").flatMap((line) => {
    const [, prefix, sequence, atUs, text = ""] = heading.exec(line) ?? [];
    if (prefix === undefined) return [];
    return {
      severity: Number(prefix) & 7,
      facility: Number(prefix) >> 3,
      sequence: Number(sequence),
      atUs: Number(atUs),
      text: unescaped(text),
    };
  });
}

/** The kernel escapes bytes, of which a character may have several. */
function unescaped(text: string): string {
  if (!text.includes("\\x")) return text;
  const byteOf = (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16));
  return Buffer.from(text.replace(/\\x([0-9a-f]{2})/g, byteOf), "latin1").toString("utf8");
}

/** Opens the kernel's log at its oldest record, to be read only. @throws the system error, such as EPERM. */
export function openKernelLog(path = "/dev/kmsg"): Descriptor {
  return new Descriptor(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
}
