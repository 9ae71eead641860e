// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";

export type TraceStatusRequest = Record<never, never>;
export const TraceStatusRequest: MessageType<TraceStatusRequest> = {
  name: "kata.trace.v1.TraceStatusRequest",
  fields: [],
  create: () => ({}),
};

export type TraceStartRequest = {
  /** isolated or collated; empty: as the options of the agent say, else isolated. */
  type: string;
};
export const TraceStartRequest: MessageType<TraceStartRequest> = {
  name: "kata.trace.v1.TraceStartRequest",
  fields: [
    [1, "type", "string"],
  ],
  create: () => ({
    type: "",
  }),
};

export type TraceStopRequest = Record<never, never>;
export const TraceStopRequest: MessageType<TraceStopRequest> = {
  name: "kata.trace.v1.TraceStopRequest",
  fields: [],
  create: () => ({}),
};

export type TraceFlushRequest = {
  /** 0: the flush limit of the agent. */
  timeout_ms: number;
};
export const TraceFlushRequest: MessageType<TraceFlushRequest> = {
  name: "kata.trace.v1.TraceFlushRequest",
  fields: [
    [1, "timeout_ms", "uint32"],
  ],
  create: () => ({
    timeout_ms: 0,
  }),
};

/** Absent fields leave a setting as it is. */
export type TraceSettingsChange = {
  /** error, warn, info, debug or trace. */
  level: string | undefined;
  sampling_per_million: number | undefined;
  /** PATTERN:off or PATTERN:PER_MILLION, comma between; empty: no rules. */
  rules: string | undefined;
  /** Where spans go from now on. */
  address: string | undefined;
};
export const TraceSettingsChange: MessageType<TraceSettingsChange> = {
  name: "kata.trace.v1.TraceSettingsChange",
  fields: [
    [1, "level", "string", "optional"],
    [2, "sampling_per_million", "uint32", "optional"],
    [3, "rules", "string", "optional"],
    [4, "address", "string", "optional"],
  ],
  create: () => ({
    level: undefined,
    sampling_per_million: undefined,
    rules: undefined,
    address: undefined,
  }),
};

export type TraceStatus = {
  on: boolean;
  type: string;
  level: string;
  sampling_per_million: number;
  rules: string;
  address: string;
  /** Of the running interval, or of the last one. */
  sent: bigint;
  pending: bigint;
  open: bigint;
  /** Lost spans by cause. */
  dropped: Map<string, bigint>;
  /** Trace id of the interval's root; empty before the first. */
  trace_id: string;
};
export const TraceStatus: MessageType<TraceStatus> = {
  name: "kata.trace.v1.TraceStatus",
  fields: [
    [1, "on", "bool"],
    [2, "type", "string"],
    [3, "level", "string"],
    [4, "sampling_per_million", "uint32"],
    [5, "rules", "string"],
    [6, "address", "string"],
    [7, "sent", "uint64"],
    [8, "pending", "uint64"],
    [9, "open", "uint64"],
    [10, "dropped", "uint64", "map"],
    [11, "trace_id", "string"],
  ],
  create: () => ({
    on: false,
    type: "",
    level: "",
    sampling_per_million: 0,
    rules: "",
    address: "",
    sent: 0n,
    pending: 0n,
    open: 0n,
    dropped: new Map(),
    trace_id: "",
  }),
};
