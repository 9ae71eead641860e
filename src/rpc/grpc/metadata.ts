import type { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import type { Metadata } from "../call.ts";

/** Metadata of a gRPC call in our form; binary values, whose keys end in `-bin`, as base64. */
export function metadataPairs(metadata: GrpcMetadata): Metadata {
  const pairs: [string, string][] = [];
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    for (const value of values)
      pairs.push([key, typeof value === "string" ? value : value.toString("base64")]);
  }
  return pairs;
}
