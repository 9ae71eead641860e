import type { GrpcEndpoint } from "./out/otlp-grpc-sender.ts";
import type { Endpoint } from "./out/post.ts";

/** Room of a backend's queue. */
export type QueueConfig = {
  readonly maxBytes: number;
  /** Folder of a spool on the disk that survives the program; undefined = in memory. */
  readonly spool: string | undefined;
  /** Whether the spool waits for the disk itself. */
  readonly isSynced?: boolean | undefined;
};

/** One backend. `name` tells them apart in logs and metrics. */
export type BackendConfig =
  | {
      readonly kind: "file";
      readonly name: string;
      readonly path: string;
      /** A file that would grow beyond it becomes `<path>.1`; undefined = never. */
      readonly maxBytes: number | undefined;
      /** How many such files are kept. */
      readonly keep: number;
    }
  | { readonly kind: "stdout"; readonly name: string; readonly format: "json" | "tree" }
  | {
      readonly kind: "otlp-grpc";
      readonly name: string;
      readonly endpoint: GrpcEndpoint;
      readonly queue: QueueConfig;
    }
  | {
      readonly kind: "otlp-http" | "zipkin" | "datadog";
      readonly name: string;
      readonly endpoint: Endpoint;
      readonly queue: QueueConfig;
    };
