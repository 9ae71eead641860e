import { type Address, parseAddress } from "../vsock/address.ts";
import type { TlsOptions } from "../vsock/secure-socket.ts";
import type { BackendConfig, QueueConfig } from "./backend-config.ts";

/** Kinds of backends that are reached by a URL. */
export type UrlKind = "otlp-http" | "otlp-grpc" | "zipkin" | "datadog";

/** What may be said of such a backend besides its URL. */
export type UrlOptions = {
  readonly name?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly gzip?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly queue?: QueueConfig | undefined;
  /** The URL's path is the whole path: nothing is appended. */
  readonly exactPath?: boolean | undefined;
};

const defaultTimeoutMs = 10_000;
const defaultQueueBytes = 32 * 1024 * 1024;
const ports: Readonly<Record<UrlKind, string>> = {
  "otlp-http": "4318",
  "otlp-grpc": "4317",
  zipkin: "9411",
  datadog: "8126",
};
const paths: Readonly<Record<UrlKind, string>> = {
  "otlp-http": "/v1/traces",
  "otlp-grpc": "",
  zipkin: "/api/v2/spans",
  datadog: "/v0.4/traces",
};

/**
 * A backend by a URL as its senders have it: `http://host:4318`, `https://…`, `unix:///path` (Datadog's socket). The
 * path that belongs to the kind is appended unless it is there.
 * @throws Error with the reason.
 */
export function backendByUrl(kind: UrlKind, text: string, options: UrlOptions = {}): BackendConfig {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:", "unix:"].includes(url.protocol))
    throw new Error("not an http://, https:// or unix:// URL");
  const queue = options.queue ?? { maxBytes: defaultQueueBytes, spool: undefined };
  const tls = url.protocol === "https:" ? (options.tls ?? {}) : undefined;
  const { headers = {}, gzip = false, timeoutMs = defaultTimeoutMs } = options;
  const common = { tls, headers, gzip, timeoutMs };
  const name = options.name ?? `${kind}:${url.host || url.pathname}`;
  if (kind === "otlp-grpc") return { kind, name, queue, endpoint: { ...common, target: grpcTarget(url) } };
  const endpoint = { ...common, ...place(url, kind, options.exactPath ?? false) };
  return { kind, name, queue, endpoint };
}

function grpcTarget(url: URL): string {
  if (url.protocol === "unix:") return `unix:${url.pathname}`;
  return `${url.hostname}:${url.port || ports["otlp-grpc"]}`;
}

function place(
  url: URL,
  kind: UrlKind,
  isExact: boolean,
): { address: Address; authority: string; host: string; path: string } {
  if (url.protocol === "unix:")
    return {
      address: parseAddress(`unix://${url.pathname}`),
      authority: "localhost",
      host: "",
      path: paths[kind],
    };
  const path = url.pathname.replace(/\/$/, "");
  const whole = isExact || path.endsWith(paths[kind]) ? url.pathname : `${path}${paths[kind]}`;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    address: parseAddress(`tcp://${url.hostname}:${url.port || ports[kind]}`),
    authority: url.host,
    host,
    path: whole,
  };
}
