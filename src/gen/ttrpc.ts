// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";

export type Request = {
  /** Full name of the service, such as grpc.AgentService. */
  service: string;
  /** Bare name of the method. */
  method: string;
  /** The request message of the method, encoded. */
  payload: Uint8Array;
  /** Nanoseconds that the caller is willing to wait; 0 = no limit, negative = expired already. */
  timeout_nano: bigint;
  /** A key with several values comes several times. */
  metadata: KeyValue[];
};
export const Request: MessageType<Request> = {
  name: "ttrpc.Request",
  fields: [
    [1, "service", "string"],
    [2, "method", "string"],
    [3, "payload", "bytes"],
    [4, "timeout_nano", "int64"],
    [5, "metadata", "message", "repeated", () => KeyValue],
  ],
  create: () => ({
    service: "",
    method: "",
    payload: new Uint8Array(0),
    timeout_nano: 0n,
    metadata: [],
  }),
};

export type Response = {
  /** Absent, or with code 0: the call succeeded. */
  status: Status | undefined;
  /** The response message of the method, encoded. */
  payload: Uint8Array;
};
export const Response: MessageType<Response> = {
  name: "ttrpc.Response",
  fields: [
    [1, "status", "message", undefined, () => Status],
    [2, "payload", "bytes"],
  ],
  create: () => ({
    status: undefined,
    payload: new Uint8Array(0),
  }),
};

export type KeyValue = {
  key: string;
  value: string;
};
export const KeyValue: MessageType<KeyValue> = {
  name: "ttrpc.KeyValue",
  fields: [
    [1, "key", "string"],
    [2, "value", "string"],
  ],
  create: () => ({
    key: "",
    value: "",
  }),
};

/** Same fields as google.rpc.Status. */
export type Status = {
  code: number;
  message: string;
  details: Any[];
};
export const Status: MessageType<Status> = {
  name: "ttrpc.Status",
  fields: [
    [1, "code", "int32"],
    [2, "message", "string"],
    [3, "details", "message", "repeated", () => Any],
  ],
  create: () => ({
    code: 0,
    message: "",
    details: [],
  }),
};

/** Same fields as google.protobuf.Any. */
export type Any = {
  type_url: string;
  value: Uint8Array;
};
export const Any: MessageType<Any> = {
  name: "ttrpc.Any",
  fields: [
    [1, "type_url", "string"],
    [2, "value", "bytes"],
  ],
  create: () => ({
    type_url: "",
    value: new Uint8Array(0),
  }),
};
