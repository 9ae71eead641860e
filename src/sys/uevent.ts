/** One event of the kernel about a device, such as action `add` of `/devices/…/block/vda`. */
export type Uevent = {
  action: string;
  devpath: string;
  subsystem: string;
  /** Name of its node below /dev; empty when it has none. */
  devname: string;
  /** Name of a network interface; empty for other devices. */
  interface: string;
  /** What a driver for the device is found by, such as `virtio:d00000002v00001AF4`; empty when it has none. */
  modalias: string;
  sequence: number;
};

/**
 * Reads one uevent datagram (agent-api 5.1): strings ended by NUL, the first a heading, the others `KEY=value`.
 * @returns undefined for what has no ACTION or DEVPATH.
 */
export function parseUevent(datagram: Uint8Array): Uevent | undefined {
  const pairs = new Map<string, string>();
  for (const text of Buffer.from(datagram).toString().split("\0").slice(1)) {
    const equals = text.indexOf("=");
    if (equals > 0) pairs.set(text.slice(0, equals), text.slice(equals + 1));
  }
  const action = pairs.get("ACTION");
  const devpath = pairs.get("DEVPATH");
  if (action === undefined || devpath === undefined) return undefined;
  return {
    action,
    devpath,
    subsystem: pairs.get("SUBSYSTEM") ?? "",
    devname: pairs.get("DEVNAME") ?? "",
    interface: pairs.get("INTERFACE") ?? "",
    modalias: pairs.get("MODALIAS") ?? "",
    sequence: Number(pairs.get("SEQNUM") ?? 0),
  };
}
