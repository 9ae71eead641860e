import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Encoding } from "../metrics.ts";
import { hostNanos } from "./announcements.ts";
import { readBody } from "./body.ts";
import type { Guest } from "./guest.ts";
import { type HttpConnection, type HttpWork, type Wanted, wantedOf } from "./http-work.ts";
import { type Answer, refusalAnswer, successAnswer } from "./otlp-answer.ts";

/**
 * Whatever comes over HTTP/1.1 and is not plain (`plain-http-door.ts`): packed or chunked bodies, heads in pieces, what
 * is to be refused by its head.
 *
 * A sender that gets "success" may forget its spans, so it is answered only when somebody answers for them. When nobody
 * has room it is told to come again (503): its own queue is the place to wait.
 */

const headTimeoutMs = 10_000;
/** How often slow requests are looked for. */
const slowCheckMs = 5_000;
/** A whole request: 64 MiB at 1 MiB a second. */
const requestTimeoutMs = 64_000;

/** One HTTP server for the connections of all listeners. */
export class HttpDoor {
  readonly #work: HttpWork;
  readonly #server: Server;
  readonly #stopping: AbortSignal;
  readonly #connections = new WeakMap<Socket, HttpConnection>();
  readonly #busy = new Set<Promise<void>>();

  constructor(work: HttpWork, stopping: AbortSignal) {
    this.#work = work;
    this.#stopping = stopping;
    const options = { connectionsCheckingInterval: slowCheckMs };
    this.#server = createServer(options, (request, response) => this.#onRequest(request, response));
    this.#server.headersTimeout = headTimeoutMs;
    this.#server.requestTimeout = requestTimeoutMs;
    // Between two batches a guest may be quiet for hours.
    this.#server.keepAliveTimeout = 0;
    // The server listens nowhere itself; this starts its watch over slow requests.
    this.#server.emit("listening");
  }

  /** Serves the connection and owns the socket from now on. */
  take(socket: Socket, guest: Guest): void {
    const connection: HttpConnection = { guest, instances: new Set(), complained: false };
    this.#connections.set(socket, connection);
    socket.on("close", () => this.#work.left(connection));
    this.#server.emit("connection", socket);
  }

  /** Resolves when the requests that have arrived are answered. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy);
  }

  /** Precondition: its connections are closed. */
  close(): void {
    this.#server.close();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const work = this.#handle(request, response);
    this.#busy.add(work);
    work.finally(() => this.#busy.delete(work));
  }

  /** Never rejects. */
  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connections.get(request.socket) as HttpConnection;
    let encoding: Encoding = "otlp-http";
    try {
      const wanted = wantedOf(request);
      encoding = wanted.encoding;
      await this.#perform(request, wanted, connection);
      if (request.headers["kata-clock"] !== undefined) response.setHeader("kata-clock", String(hostNanos()));
      answer(response, successAnswer(encoding));
    } catch (error) {
      // What is left of the body will not be read.
      if (!request.complete) response.setHeader("connection", "close");
      answer(response, refusalAnswer(encoding, this.#work.refusalOf(connection, encoding, error)));
    }
  }

  async #perform(request: IncomingMessage, wanted: Wanted, connection: HttpConnection): Promise<void> {
    const { guest } = connection;
    await guest.pace(this.#stopping);
    const body = await readBody(request, guest, guest.limits);
    guest.spend(body.bytes.length);
    try {
      await this.#work.perform(connection, wanted, request.headers, body.bytes);
    } finally {
      body.release();
    }
  }
}

function answer(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, "content-length": body.length }).end(body);
}
