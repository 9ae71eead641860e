/**
 * Takes the spans of one container: OTLP over HTTP on a Unix socket that is mounted into it (docs/protocol.md).
 *
 * Whoever is behind it is hostile. So connections, bodies and what may be on its way are bounded, and a quota in bytes says how
 * much a container may send in the long run; beyond it the answer is 429, which exporters take as "later". Requests cost work
 * also when nothing is in them: each counts as some bytes, and one that is not taken is answered late, on a connection that
 * then ends.
 */
import { chmod, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { delay } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import type { Relayed } from "../trace/relayed.ts";
import { listen } from "../vsock/listen.ts";
import { ByteQuota } from "./byte-quota.ts";

/** The socket of one container; `close` takes it away. */
export type RelayServer = { close(): Promise<void> };

/**
 * `forward`: passes a request on, false when there is no room. `count`: told what came of every request. `nowMs`: the
 * clock of the quota, default `performance.now`.
 */
export type RelayParts = {
  readonly forward: (relayed: Relayed) => boolean;
  readonly count: (result: "taken" | "delivered" | "lost" | "over-quota" | "no-room" | "refused") => void;
  readonly log: Log;
  readonly nowMs?: () => number;
};

const maxConnections = 8;
const maxBodyBytes = 1024 * 1024;
const headTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
/** In the long run, and at once. */
const quota = { bytesPerSecond: 256 * 1024, burstBytes: 2 * 1024 * 1024 };
/** What a request counts for beside its body, in bytes. */
const perRequestBytes = 1024;
/** How long one that was not taken keeps its connection busy. */
const lateMs = 250;
const types: Readonly<Record<string, string>> = { "application/x-protobuf": "", "application/json": "{}" };

/** Opens the socket for whoever is in the container, whatever user that is. @throws system errors. */
export async function serveRelay(path: string, parts: RelayParts): Promise<RelayServer> {
  const bytes = new ByteQuota(quota, parts.nowMs);
  const server = createServer((request, response) => void answer(request, response, parts, bytes));
  server.headersTimeout = headTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  server.emit("listening");
  const open = new Set<{ destroy(): void }>();
  const listener = await listen(
    { kind: "unix", path },
    (accepted) => {
      if (open.size >= maxConnections) return accepted.close();
      const socket = accepted.socket();
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      server.emit("connection", socket);
    },
    parts.log,
  );
  await chmod(path, 0o666);
  return {
    async close() {
      await listener.close();
      for (const socket of open) socket.destroy();
      server.close();
      await unlink(path).catch(() => undefined);
    },
  };
}

/** Never rejects. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  parts: RelayParts,
  bytes: ByteQuota,
): Promise<void> {
  const status = await taken(request, parts, bytes).catch(() => 400);
  if (status !== 200 && status !== 429 && status !== 503) parts.count("refused");
  if (status !== 200) {
    // Nor are those read that may wait behind it.
    response.socket?.pause();
    await delay(lateMs);
  }
  const type = typeOf(request) ?? "application/json";
  const later = status === 429 || status === 503 ? { "retry-after": "1" } : {};
  const close = status === 200 ? {} : { connection: "close" };
  response.writeHead(status, { "content-type": type, ...later, ...close });
  response.end(types[type]);
}

async function taken(request: IncomingMessage, parts: RelayParts, bytes: ByteQuota): Promise<number> {
  if (request.url !== "/v1/traces") return 404;
  if (request.method !== "POST") return 405;
  const contentType = typeOf(request);
  const contentEncoding = request.headers["content-encoding"];
  if (contentType === undefined || (contentEncoding !== undefined && contentEncoding !== "gzip")) return 415;
  const body = await bodyOf(request);
  if (body === undefined) return 413;
  if (!bytes.take(body.length + perRequestBytes)) {
    parts.count("over-quota");
    return 429;
  }
  const ended = (delivered: boolean) => parts.count(delivered ? "delivered" : "lost");
  const room = parts.forward({ contentType, contentEncoding, bytes: body, ended });
  parts.count(room ? "taken" : "no-room");
  return room ? 200 : 503;
}

function typeOf({ headers }: IncomingMessage): string | undefined {
  const [type = ""] = (headers["content-type"] ?? "").split(";", 1);
  return Object.hasOwn(types, type.trim()) ? type.trim() : undefined;
}

/** The whole body; undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
