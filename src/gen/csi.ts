// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";

export type VolumeStatsResponse = {
  usage: VolumeUsage[];
  volume_condition: VolumeCondition | undefined;
};
export const VolumeStatsResponse: MessageType<VolumeStatsResponse> = {
  name: "grpc.VolumeStatsResponse",
  fields: [
    [1, "usage", "message", "repeated", () => VolumeUsage],
    [2, "volume_condition", "message", undefined, () => VolumeCondition],
  ],
  create: () => ({
    usage: [],
    volume_condition: undefined,
  }),
};

export type VolumeUsage = {
  /** In the given unit, as are the other two. */
  available: bigint;
  total: bigint;
  used: bigint;
  unit: number;
};
export const VolumeUsage: MessageType<VolumeUsage> = {
  name: "grpc.VolumeUsage",
  fields: [
    [1, "available", "uint64"],
    [2, "total", "uint64"],
    [3, "used", "uint64"],
    [4, "unit", "enum"],
  ],
  create: () => ({
    available: 0n,
    total: 0n,
    used: 0n,
    unit: 0,
  }),
};

/** Unknown numbers may come: a field of this enum is a plain `number`. */
export const Unit = {
  UNKNOWN: 0,
  BYTES: 1,
  INODES: 2,
} as const;

export type VolumeCondition = {
  abnormal: boolean;
  message: string;
};
export const VolumeCondition: MessageType<VolumeCondition> = {
  name: "grpc.VolumeCondition",
  fields: [
    [1, "abnormal", "bool"],
    [2, "message", "string"],
  ],
  create: () => ({
    abnormal: false,
    message: "",
  }),
};
