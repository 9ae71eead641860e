import { readFile, stat } from "node:fs/promises";
import { parse } from "smol-toml";
import { type Address, anyCid, firstGuestCid, parseAddress } from "../vsock/address.ts";
import type { TlsOptions } from "../vsock/secure-socket.ts";
import type { BackendConfig } from "./backend-config.ts";
import { backendByUrl, type UrlKind } from "./backend-url.ts";
import type { Config } from "./config.ts";
import { ConfigReader } from "./config-reader.ts";
import { type GuestLogConfig, guestLogDefaults } from "./guest-log-config.ts";
import { defaultLimits, type Limits } from "./in/limits.ts";
import { knownPatterns, parsePattern, type SandboxPattern } from "./in/sandbox-pattern.ts";
import type { SamplingConfig } from "./sampling.ts";

type Unsaid = "logLevel" | "drainMs";
/** What the file says; nothing where it is silent. */
export type FileConfig = Omit<Config, Unsaid> & { readonly [Key in Unsaid]: Config[Key] | undefined };

const mebibyte = 1024 * 1024;
const urlKinds: readonly string[] = ["otlp-http", "otlp-grpc", "zipkin", "datadog"] satisfies UrlKind[];
const logLevels = ["trace", "debug", "info", "warn", "error"];
const maxFileBytes = mebibyte;

/**
 * Reads the configuration file (docs/forwarder.md has its keys), and the certificates that it names.
 * @throws Error that says what is wrong and where; the system error when a file cannot be read.
 */
export async function readConfigFile(path: string): Promise<FileConfig> {
  if ((await stat(path)).size > maxFileBytes) throw new Error("configuration file too long");
  const text = await readFile(path, "utf8");
  const top = new ConfigReader(parse(text), "");
  const backends: BackendConfig[] = [];
  for (const table of top.tables("backend")) backends.push(await backendOf(table));
  const config: FileConfig = {
    listen: (top.texts("listen") ?? []).map((address) => top.parsed("listen", address, parseAddress)),
    watch: watchOf(top),
    backends,
    guestLogs: guestLogsOf(top.table("guest_logs")),
    limits: limitsOf(top.table("limits")),
    sampling: samplingOf(top.table("sampling")),
    scrub: scrubOf(top.table("scrub")),
    admin: addressOf(top, "admin"),
    ui: addressOf(top, "ui"),
    logLevel: oneOf(top, "log_level", logLevels),
    drainMs: top.number("drain_timeout_ms", 0),
  };
  top.end();
  const names = backends.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two backends have the name ${JSON.stringify(twice)}`);
  return config;
}

function watchOf(top: ConfigReader): readonly SandboxPattern[] {
  const value = top.raw("watch");
  if (typeof value === "boolean") return value ? knownPatterns : [];
  return (top.texts("watch") ?? []).map((template) => top.parsed("watch", template, parsePattern));
}

function addressOf(table: ConfigReader, key: string): Address | undefined {
  const text = table.text(key);
  return text === undefined ? undefined : table.parsed(key, text, parseAddress);
}

function oneOf(table: ConfigReader, key: string, words: readonly string[]): string | undefined {
  const word = table.text(key);
  return word === undefined || words.includes(word)
    ? word
    : table.fail(key, `is none of ${words.join(", ")}`);
}

function limitsOf(table: ConfigReader | undefined): Limits {
  if (table === undefined) return defaultLimits;
  // These may only be lowered: what is longer a spool would not read again.
  const { maxBodyBytes, maxGrpcMessageBytes, maxFrameBytes } = defaultLimits;
  const limits: Limits = {
    maxConnections: table.number("max_connections", 1) ?? defaultLimits.maxConnections,
    maxConnectionsPerGuest:
      table.number("max_connections_per_guest", 1) ?? defaultLimits.maxConnectionsPerGuest,
    maxHeldBytes: table.number("max_held_bytes", 1) ?? defaultLimits.maxHeldBytes,
    maxHeldBytesPerGuest: table.number("max_held_bytes_per_guest", 1) ?? defaultLimits.maxHeldBytesPerGuest,
    guestBytesPerSecond: table.number("guest_bytes_per_second", 1) ?? defaultLimits.guestBytesPerSecond,
    maxBodyBytes: table.number("max_body_bytes", 1, maxBodyBytes) ?? maxBodyBytes,
    maxGrpcMessageBytes:
      table.number("max_grpc_message_bytes", 1, maxGrpcMessageBytes) ?? maxGrpcMessageBytes,
    maxFrameBytes: table.number("max_frame_bytes", 1, maxFrameBytes) ?? maxFrameBytes,
    maxSpansPerRequest: table.number("max_spans_per_request", 1) ?? defaultLimits.maxSpansPerRequest,
    maxFieldsPerSpan: table.number("max_fields_per_span", 1) ?? defaultLimits.maxFieldsPerSpan,
  };
  table.end();
  return limits;
}

function samplingOf(table: ConfigReader | undefined): SamplingConfig | undefined {
  if (table === undefined) return undefined;
  const sampling: SamplingConfig = {
    keepOneIn: table.number("keep_one_in", 1) ?? 1,
    slowMs: table.number("slow_ms", 0),
    slowMsByName: new Map(Object.entries(table.numberTable("slow_ms_by_name") ?? {})),
    holdMs: table.number("hold_ms", 1) ?? 10_000,
    maxBytes: table.number("max_bytes", 1) ?? 16 * mebibyte,
  };
  table.end();
  return sampling;
}

function guestLogsOf(table: ConfigReader | undefined): GuestLogConfig | undefined {
  if (table === undefined) return undefined;
  const defaults = guestLogDefaults(table.requiredText("folder"));
  const guestLogs: GuestLogConfig = {
    folder: defaults.folder,
    port: table.number("port", 1) ?? defaults.port,
    maxBytes: table.number("max_bytes", 1) ?? defaults.maxBytes,
    keep: table.number("keep", 0) ?? defaults.keep,
    keepGuests: table.number("keep_guests", 1) ?? defaults.keepGuests,
    cids: table.numbers("cids", firstGuestCid, anyCid - 1) ?? defaults.cids,
  };
  table.end();
  return guestLogs;
}

function scrubOf(table: ConfigReader | undefined): readonly RegExp[] {
  if (table === undefined) return [];
  const patterns = (table.texts("patterns") ?? []).map((pattern) =>
    table.parsed("patterns", pattern, (source) => new RegExp(source, "gu")),
  );
  table.end();
  return patterns;
}

async function backendOf(table: ConfigReader): Promise<BackendConfig> {
  const type = table.requiredText("type");
  const backend = urlKinds.includes(type) ? await byUrl(table, type as UrlKind) : local(table, type);
  table.end();
  return backend;
}

function local(table: ConfigReader, type: string): BackendConfig {
  const name = table.text("name");
  if (type === "stdout") return { kind: "stdout", name: name ?? "stdout", format: "json" };
  if (type === "tree") return { kind: "stdout", name: name ?? "tree", format: "tree" };
  if (type !== "file")
    return table.fail("type", "is none of otlp-http, otlp-grpc, zipkin, datadog, file, stdout, tree");
  const path = table.requiredText("path");
  return {
    kind: "file",
    name: name ?? path,
    path,
    maxBytes: table.number("max_bytes", 1),
    keep: table.number("keep", 0) ?? 3,
  };
}

async function byUrl(table: ConfigReader, kind: UrlKind): Promise<BackendConfig> {
  const compression = oneOf(table, "compression", ["none", "gzip"]);
  const options = {
    name: table.text("name"),
    headers: table.textTable("headers"),
    tls: await tlsOf(table),
    gzip: compression === "gzip",
    timeoutMs: table.number("timeout_ms", 1),
    queue: {
      maxBytes: table.number("queue_bytes", 1) ?? 32 * mebibyte,
      spool: table.text("spool"),
      isSynced: table.truth("spool_sync"),
    },
  };
  return table.parsed("url", table.requiredText("url"), (url) => backendByUrl(kind, url, options));
}

async function tlsOf(table: ConfigReader): Promise<TlsOptions> {
  const [ca, cert, key] = ["ca_file", "cert_file", "key_file"].map((name) => table.text(name));
  const read = (path: string | undefined) => (path === undefined ? undefined : readFile(path, "utf8"));
  return { ca: await read(ca), cert: await read(cert), key: await read(key) };
}
