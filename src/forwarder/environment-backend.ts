import type { BackendConfig } from "./backend-config.ts";
import { backendByUrl, type UrlKind } from "./backend-url.ts";

/** Environment variables, as a program gets them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = "OTEL_EXPORTER_OTLP_";
const kinds: Readonly<Record<string, UrlKind>> = {
  grpc: "otlp-grpc",
  "http/protobuf": "otlp-http",
  // What is sent is protobuf; every receiver of the one takes the other.
  "http/json": "otlp-http",
};

/**
 * The backend that OpenTelemetry's standard variables name (wire-and-tracing 7.3): `…_ENDPOINT`, `…_HEADERS`,
 * `…_TIMEOUT`, `…_COMPRESSION`, `…_PROTOCOL`, each also as `…_TRACES_…`, which wins. None without an endpoint.
 * @throws Error that names the variable.
 */
export function environmentBackend(env: Environment): BackendConfig | undefined {
  const value = (name: string) => env[`${prefix}TRACES_${name}`] || env[`${prefix}${name}`];
  const endpoint = value("ENDPOINT");
  if (endpoint === undefined) return undefined;
  const protocol = value("PROTOCOL") ?? "http/protobuf";
  const kind = Object.hasOwn(kinds, protocol) ? kinds[protocol] : undefined;
  if (kind === undefined) throw new Error(`${prefix}PROTOCOL: unknown protocol`);
  const timeout = value("TIMEOUT");
  if (timeout !== undefined && !/^\d{1,7}$/.test(timeout)) throw new Error(`${prefix}TIMEOUT: not a number`);
  try {
    return backendByUrl(kind, endpoint, {
      name: "default",
      headers: headersOf(value("HEADERS") ?? ""),
      gzip: value("COMPRESSION") === "gzip",
      timeoutMs: timeout === undefined ? undefined : Number(timeout),
      // The endpoint for traces is taken as it is, the general one is a base.
      exactPath: Boolean(env[`${prefix}TRACES_ENDPOINT`]),
    });
  } catch (error) {
    throw new Error(`${prefix}ENDPOINT: ${(error as Error).message}`);
  }
}

/** `k=v,k2=v2`, values percent-encoded. */
function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",")) {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (name !== undefined && value !== undefined) headers[name.toLowerCase()] = decoded(value);
  }
  return headers;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
