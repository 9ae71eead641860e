import type { Client, Metadata, ServiceError } from "@grpc/grpc-js";
import type { TlsOptions } from "../../vsock/secure-socket.ts";
import type { Export } from "../export.ts";
import { rejectedIn } from "./otlp-http-sender.ts";
import type { Posted, Sender } from "./posted.ts";

/** Where a backend that speaks gRPC is. */
export type GrpcEndpoint = {
  /** `host:port`, or `unix:/path`. */
  readonly target: string;
  readonly tls: TlsOptions | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly timeoutMs: number;
};

const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/** Codes after which the same request may be sent again (wire-and-tracing 7.3); by number, as the wire has them. */
const retryable: ReadonlySet<number> = new Set([1, 4, 10, 11, 14, 15]);
const resourceExhausted = 8;
const gzipAlgorithm = 2;
const retryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

/** Loads the gRPC library and makes the sender; it connects by itself when there is something to send. */
export async function createOtlpGrpcSender(endpoint: GrpcEndpoint): Promise<Sender> {
  const grpc = await import("@grpc/grpc-js");
  const { ca, cert, key } = endpoint.tls ?? {};
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  const credentials =
    endpoint.tls === undefined
      ? grpc.credentials.createInsecure()
      : grpc.credentials.createSsl(pem(ca), pem(key), pem(cert));
  const client = new grpc.Client(endpoint.target, credentials, {
    "grpc.enable_channelz": 0,
    "grpc.max_send_message_length": -1,
    // Its own retries would hide from us how a backend fares.
    "grpc.enable_retries": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
    ...(endpoint.gzip ? { "grpc.default_compression_algorithm": gzipAlgorithm } : {}),
  });
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(endpoint.headers)) metadata.set(name, value);
  return {
    send: (parts, signal) => sendOnce(client, metadata, endpoint.timeoutMs, parts, signal),
    close: () => client.close(),
  };
}

const asIs = (bytes: Buffer): Buffer => bytes;

function sendOnce(
  client: Client,
  metadata: Metadata,
  timeoutMs: number,
  parts: readonly Export[],
  signal: AbortSignal,
): Promise<Posted> {
  const { promise, resolve } = Promise.withResolvers<Posted>();
  const body = Buffer.concat(parts.map((part) => part.body));
  const options = { deadline: Date.now() + timeoutMs };
  const call = client.makeUnaryRequest(exportPath, asIs, asIs, body, metadata, options, (error, answer) => {
    signal.removeEventListener("abort", cancel);
    resolve(
      error === null ? { status: "sent", rejected: rejectedIn(answer ?? Buffer.alloc(0)) } : postedOf(error),
    );
  });
  const cancel = () => call.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  return promise;
}

function postedOf(error: ServiceError): Posted {
  const reason = `gRPC status ${error.code}`;
  const afterMs = retryAfterMs(error.metadata);
  if (retryable.has(error.code) || (error.code === resourceExhausted && afterMs !== undefined))
    return { status: "retry", afterMs, reason };
  return { status: "failed", reason };
}

/**
 * The delay in a google.rpc.RetryInfo, if there is one: `Status.details` (3) is an `Any` of type (1) and value (2), the
 * value has `retry_delay` (1) of seconds (1) and nanos (2). It is found by its type's name.
 */
function retryAfterMs(metadata: Metadata | undefined): number | undefined {
  const [details] = metadata?.get("grpc-status-details-bin") ?? [];
  if (!Buffer.isBuffer(details)) return undefined;
  const at = details.indexOf(retryInfoType);
  if (at < 0) return undefined;
  // Behind the name: tag and length of the value, of the delay, then the seconds.
  const delay = details.subarray(at + retryInfoType.length + 4);
  const seconds = delay[0] === 0x08 ? (delay[1] ?? 0) & 0x7f : 0;
  return Math.min(seconds, 60) * 1000 || undefined;
}
