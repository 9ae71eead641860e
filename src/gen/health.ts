// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";

export type CheckRequest = {
  service: string;
};
export const CheckRequest: MessageType<CheckRequest> = {
  name: "grpc.CheckRequest",
  fields: [
    [1, "service", "string"],
  ],
  create: () => ({
    service: "",
  }),
};

export type HealthCheckResponse = {
  status: number;
};
export const HealthCheckResponse: MessageType<HealthCheckResponse> = {
  name: "grpc.HealthCheckResponse",
  fields: [
    [1, "status", "enum"],
  ],
  create: () => ({
    status: 0,
  }),
};

/** Unknown numbers may come: a field of this enum is a plain `number`. */
export const ServingStatus = {
  UNKNOWN: 0,
  SERVING: 1,
  NOT_SERVING: 2,
} as const;

export type VersionCheckResponse = {
  grpc_version: string;
  agent_version: string;
};
export const VersionCheckResponse: MessageType<VersionCheckResponse> = {
  name: "grpc.VersionCheckResponse",
  fields: [
    [1, "grpc_version", "string"],
    [2, "agent_version", "string"],
  ],
  create: () => ({
    grpc_version: "",
    agent_version: "",
  }),
};
