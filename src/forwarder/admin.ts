/**
 * What an operator's programs ask the forwarder:
 *
 *   GET  /metrics   Prometheus' text
 *   GET  /healthz   200 while the program runs
 *   GET  /readyz    200 when it listens and some backend has room, else 503
 *   POST /reload    reads the configuration again; 200, or 400 with what is wrong
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Log } from "../base/log.ts";
import { type Address, formatAddress } from "../vsock/address.ts";
import { listen } from "../vsock/listen.ts";

/** What the answers come from. */
export type AdminSource = {
  metrics(): Promise<string>;
  isReady(): boolean;
  /** @throws Error with what is wrong. */
  reload(): Promise<void>;
};

/** The running server. */
export type Admin = {
  readonly address: Address;
  /** Ends all connections. Safe to repeat. */
  close(): Promise<void>;
};

const maxConnections = 64;
const headTimeoutMs = 10_000;
const requestTimeoutMs = 10_000;

/** Opens the admin address. @throws the system error. */
export async function serveAdmin(address: Address, source: AdminSource, log: Log): Promise<Admin> {
  const server = createServer((request, response) => void answer(request, response, source));
  server.headersTimeout = headTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  server.emit("listening");
  const open = new Set<{ destroy(): void }>();
  const listener = await listen(
    address,
    (accepted) => {
      if (open.size >= maxConnections) accepted.close();
      else admit(server, open, accepted.socket());
    },
    log,
  );
  log.info({ address: formatAddress(listener.address) }, "metrics and health are served");
  return {
    address: listener.address,
    async close() {
      await listener.close();
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

type OpenSocket = ReturnType<Parameters<Parameters<typeof listen>[1]>[0]["socket"]>;

function admit(server: Server, open: Set<{ destroy(): void }>, socket: OpenSocket): void {
  open.add(socket);
  socket.on("close", () => open.delete(socket));
  server.emit("connection", socket);
}

/** Never rejects. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  source: AdminSource,
): Promise<void> {
  const [status, text] = await answerTo(request, source).catch(
    (error: Error) => [400, error.message] as const,
  );
  const type = "text/plain; version=0.0.4; charset=utf-8";
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(`${text}\n`);
  request.resume();
}

async function answerTo(
  { method, url = "", headers }: IncomingMessage,
  source: AdminSource,
): Promise<readonly [number, string]> {
  switch (`${method} ${url.split("?", 1)[0]}`) {
    case "GET /metrics":
      return [200, (await source.metrics()).trimEnd()];
    case "GET /healthz":
      return [200, "ok"];
    case "GET /readyz":
      return source.isReady() ? [200, "ready"] : [503, "no backend has room"];
    case "POST /reload":
      // A page in a browser on this machine can post here, but not without saying where it is from.
      if (headers.origin !== undefined) return [403, "not from a browser"];
      await source.reload();
      return [200, "reloaded"];
    default:
      return [404, "not here"];
  }
}
