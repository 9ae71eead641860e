// Made by scripts/gen.ts from protos/. Do not edit: change the proto file and run the script.

import type { MessageType } from "./message-type.ts";

export type Empty = Record<never, never>;
export const Empty: MessageType<Empty> = {
  name: "google.protobuf.Empty",
  fields: [],
  create: () => ({}),
};
