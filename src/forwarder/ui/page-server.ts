/**
 * Serves the page that shows traces, and what it asks for:
 *
 *   GET /                 the page
 *   GET /api/traces       the list, as JSON (`view/trace-list.ts`)
 *   GET /api/traces/<id>  one trace as OTLP JSON
 *   GET /api/changes      server-sent events: one at once and one after every change, at most four a second
 *
 * Spans tell what runs on the node, so the page is served on loopback only, and only to a browser that was sent here
 * by a loopback name: a page of elsewhere whose host name has been pointed at this address gets nothing.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Log } from "../../base/log.ts";
import { placedFile } from "../../base/placed-file.ts";
import { type Address, formatAddress } from "../../vsock/address.ts";
import { listen } from "../../vsock/listen.ts";
import type { RecentTraces } from "./recent-traces.ts";

const changesPauseMs = 250;
const maxConnections = 64;
const headTimeoutMs = 10_000;
const loopbackNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);

/** The running server. */
export type PageServer = {
  readonly url: string;
  /** Ends all connections. Safe to repeat. */
  close(): Promise<void>;
};

/**
 * Opens the page at a TCP address of this machine's loopback.
 * @throws Error when the address is not loopback, and the system error when it cannot be opened.
 */
export async function servePage(address: Address, traces: RecentTraces, log: Log): Promise<PageServer> {
  if (address.kind !== "tcp" || !isLoopback(address.host))
    throw new Error("the page is served on loopback only");
  const page = await readFile(placedFile("trace-page.html"));
  const server = createServer({ maxHeaderSize: 16 * 1024 }, (request, response) =>
    answer(request, response, page, traces),
  );
  server.headersTimeout = headTimeoutMs;
  server.maxConnections = maxConnections;
  const open = new Set<{ destroy(): void }>();
  const listener = await listen(address, (accepted) => admit(server, open, accepted.socket()), log);
  return {
    url: formatAddress(listener.address).replace(/^tcp:/, "http:"),
    close: async () => {
      await listener.close();
      for (const socket of open) socket.destroy();
    },
  };
}

type OpenSocket = ReturnType<Parameters<Parameters<typeof listen>[1]>[0]["socket"]>;

function admit(server: Server, open: Set<{ destroy(): void }>, socket: OpenSocket): void {
  if (open.size >= maxConnections) {
    socket.destroy();
    return;
  }
  open.add(socket);
  socket.on("close", () => open.delete(socket));
  server.emit("connection", socket);
}

function isLoopback(host: string): boolean {
  return loopbackNames.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

type Answer = { readonly status: number; readonly type: string; readonly body: string | Buffer };

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  page: Buffer,
  traces: RecentTraces,
): void {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const refusal = refusalOf(request);
  if (refusal !== undefined) end(response, refusal);
  else if (path === "/api/changes") streamChanges(response, traces);
  else end(response, answerTo(path, page, traces));
}

function refusalOf({ headers, method }: IncomingMessage): Answer | undefined {
  const host = URL.parse(`http://${headers.host ?? ""}`)?.hostname ?? "";
  if (!isLoopback(host)) return { status: 403, type: "text/plain", body: "not by this name" };
  return method === "GET" ? undefined : { status: 405, type: "text/plain", body: "only GET" };
}

function answerTo(path: string, page: Buffer, traces: RecentTraces): Answer {
  if (path === "/") return { status: 200, type: "text/html; charset=utf-8", body: page };
  if (path === "/api/traces") return json(JSON.stringify(traces.list()));
  const traceId = /^\/api\/traces\/([0-9a-f]{32})$/.exec(path)?.[1];
  const trace = traceId && traces.trace(traceId);
  return trace ? json(trace) : { status: 404, type: "text/plain", body: "not here" };
}

function json(body: string): Answer {
  return { status: 200, type: "application/json", body };
}

function end(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  });
  response.end(body);
}

/** One event now, and one after changes, with a pause between two so that a busy node does not keep a browser busy. */
function streamChanges(response: ServerResponse, traces: RecentTraces): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let timer: NodeJS.Timeout | undefined;
  let waiting = false;
  const tell = () => {
    waiting = timer !== undefined;
    if (waiting) return;
    response.write("data: changed\n\n");
    timer = setTimeout(() => {
      timer = undefined;
      if (waiting) tell();
    }, changesPauseMs);
  };
  const unwatch = traces.watch(tell);
  response.on("close", () => {
    unwatch();
    clearTimeout(timer);
  });
  tell();
}
