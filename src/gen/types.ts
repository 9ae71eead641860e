// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";

/** Unknown numbers may come: a field of this enum is a plain `number`. */
export const IPFamily = {
  v4: 0,
  v6: 1,
} as const;

/** When the files of a volume get their group. */
/** Unknown numbers may come: a field of this enum is a plain `number`. */
export const FSGroupChangePolicy = {
  Always: 0,
  OnRootMismatch: 1,
} as const;

export type Interface = {
  /** Name that the interface has in the guest, when known; hwAddr finds it otherwise. */
  device: string;
  /** Name that it shall have. */
  name: string;
  IPAddresses: IPAddress[];
  mtu: bigint;
  hwAddr: string;
  /** PCI path of a hot-plugged interface. */
  devicePath: string;
  type: string;
  /** Kernel flags that are set besides UP, such as NOARP. */
  raw_flags: number;
};
export const Interface: MessageType<Interface> = {
  name: "types.Interface",
  fields: [
    [1, "device", "string"],
    [2, "name", "string"],
    [3, "IPAddresses", "message", "repeated", () => IPAddress],
    [4, "mtu", "uint64"],
    [5, "hwAddr", "string"],
    [6, "devicePath", "string"],
    [7, "type", "string"],
    [8, "raw_flags", "uint32"],
  ],
  create: () => ({
    device: "",
    name: "",
    IPAddresses: [],
    mtu: 0n,
    hwAddr: "",
    devicePath: "",
    type: "",
    raw_flags: 0,
  }),
};

export type IPAddress = {
  family: number;
  address: string;
  /** Prefix length as decimal text. */
  mask: string;
};
export const IPAddress: MessageType<IPAddress> = {
  name: "types.IPAddress",
  fields: [
    [1, "family", "enum"],
    [2, "address", "string"],
    [3, "mask", "string"],
  ],
  create: () => ({
    family: 0,
    address: "",
    mask: "",
  }),
};

export type Route = {
  /** CIDR notation; empty = default route. */
  dest: string;
  gateway: string;
  device: string;
  source: string;
  scope: number;
  family: number;
  flags: number;
  mtu: number;
};
export const Route: MessageType<Route> = {
  name: "types.Route",
  fields: [
    [1, "dest", "string"],
    [2, "gateway", "string"],
    [3, "device", "string"],
    [4, "source", "string"],
    [5, "scope", "uint32"],
    [6, "family", "enum"],
    [7, "flags", "uint32"],
    [8, "mtu", "uint32"],
  ],
  create: () => ({
    dest: "",
    gateway: "",
    device: "",
    source: "",
    scope: 0,
    family: 0,
    flags: 0,
    mtu: 0,
  }),
};

export type ARPNeighbor = {
  toIPAddress: IPAddress | undefined;
  device: string;
  /** Hardware address as text. */
  lladdr: string;
  /** NUD_ and NTF_ numbers of the kernel. */
  state: number;
  flags: number;
};
export const ARPNeighbor: MessageType<ARPNeighbor> = {
  name: "types.ARPNeighbor",
  fields: [
    [1, "toIPAddress", "message", undefined, () => IPAddress],
    [2, "device", "string"],
    [3, "lladdr", "string"],
    [4, "state", "int32"],
    [5, "flags", "int32"],
  ],
  create: () => ({
    toIPAddress: undefined,
    device: "",
    lladdr: "",
    state: 0,
    flags: 0,
  }),
};
