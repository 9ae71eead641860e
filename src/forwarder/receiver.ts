import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Log } from "../base/log.ts";
import type { Accepted } from "../vsock/accepted.ts";
import { WireError } from "../wire/wire-error.ts";
import { type Body, BodyBudget, readBody } from "./body.ts";
import { checkTopLevel } from "./check-export.ts";
import { answerRefusal, answerSuccess } from "./otlp-answer.ts";
import { jsonFromJson, jsonFromProtobuf } from "./otlp-json.ts";
import type { Export, Output } from "./output.ts";
import { Refusal } from "./refusal.ts";

/**
 * Takes exports from guests: OTLP over HTTP/1.1, `POST /v1/traces`, protobuf or JSON, on connections that `vsock`
 * accepted.
 *
 * A guest that gets "success" may forget its spans, so it is answered only when an output answers for them. When no
 * output has room the guest is told to come again (503): its own queue is the place to wait.
 */

const maxConnections = 1024;
/** Bodies of all connections that may be in memory at once. */
const maxBodyBytesTogether = 256 * 1024 * 1024;
/** From connecting to the first byte: an exporter connects when it has something to say. */
const firstByteTimeoutMs = 30_000;
const headTimeoutMs = 10_000;
/** How often slow requests are looked for. */
const slowCheckMs = 5_000;
/** A whole request: 64 MiB at 1 MiB a second. */
const requestTimeoutMs = 64_000;
/** Traces of agents before this one begin with the upper bytes of a 64-bit length. */
const upstreamFrame = 0;

export class Receiver {
  readonly #outputs: readonly Output[];
  readonly #log: Log;
  readonly #server: Server;
  readonly #budget = new BodyBudget(maxBodyBytesTogether);
  readonly #sockets = new Set<Socket>();
  readonly #busy = new Set<Promise<void>>();
  readonly #complained = new WeakSet<Socket>();
  readonly #stopping = new AbortController();
  #silent = 0;

  constructor(outputs: readonly Output[], log: Log) {
    this.#outputs = outputs;
    this.#log = log;
    const options = { connectionsCheckingInterval: slowCheckMs };
    this.#server = createServer(options, (request, response) => this.#onRequest(request, response));
    this.#server.headersTimeout = headTimeoutMs;
    this.#server.requestTimeout = requestTimeoutMs;
    // Between two batches a guest may be quiet for hours.
    this.#server.keepAliveTimeout = 0;
    // The server listens nowhere itself; this starts its watch over slow requests.
    this.#server.emit("listening");
  }

  /** Takes over an accepted connection. */
  readonly accept = (accepted: Accepted): void => {
    if (this.#sockets.size + this.#silent >= maxConnections) {
      accepted.close();
      this.#log.warn({ peer: accepted.peer }, "too many connections");
      return;
    }
    this.#silent++;
    this.#admit(accepted)
      .catch((error: Error) => {
        accepted.close();
        this.#log.debug({ peer: accepted.peer, err: error.message }, "connection dropped");
      })
      .finally(() => {
        this.#silent--;
      });
  };

  /** Lets requests that have arrived end, but not longer than `limitMs`, and closes all connections. */
  async close(limitMs: number): Promise<void> {
    this.#stopping.abort();
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(timer.resolve, limitMs);
    await Promise.race([Promise.all(this.#busy), timer.promise]);
    clearTimeout(timeout);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  async #admit(accepted: Accepted): Promise<void> {
    const limits = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(firstByteTimeoutMs)]);
    const first = await accepted.firstByte(limits);
    if (first === upstreamFrame)
      this.#log.warn({ peer: accepted.peer }, "spans in the form of upstream's agent are not supported");
    if (first <= upstreamFrame) return accepted.close();
    const socket = accepted.socket();
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    this.#log.debug({ peer: accepted.peer }, "guest connected");
    this.#server.emit("connection", socket);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const work = this.#handle(request, response);
    this.#busy.add(work);
    work.finally(() => this.#busy.delete(work));
  }

  /** Never rejects. */
  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let kind: Export["kind"] = "protobuf";
    try {
      kind = kindOf(request);
      const body = await readBody(request, this.#budget);
      await this.#deliver(kind, body);
      answerSuccess(response, kind);
    } catch (error) {
      const refusal = refusalFrom(error);
      this.#complain(request.socket, refusal);
      answerRefusal(response, kind, refusal);
    }
  }

  /** Once per connection: a guest must not be able to fill the host's log. */
  #complain(socket: Socket, { status, message }: Refusal): void {
    if (!this.#complained.has(socket)) this.#log.warn({ status, err: message }, "export refused");
    this.#complained.add(socket);
  }

  async #deliver(kind: Export["kind"], body: Body): Promise<void> {
    try {
      const exported = exportFrom(kind, body.bytes);
      if (exported === undefined) return;
      const ready = this.#outputs.filter((output) => output.hasRoom(exported.body.length));
      if (ready.length === 0) throw new Refusal(503, "queues are full");
      for (const output of this.#outputs)
        if (!ready.includes(output))
          this.#log.warn({ output: output.name }, "output is full, export dropped");
      // One after the other: the first one is the file, which finds out whether the bytes can be read at all.
      for (const output of ready) await output.take(exported);
    } finally {
      body.release();
    }
  }
}

function kindOf(request: IncomingMessage): Export["kind"] {
  if (request.url !== "/v1/traces") throw new Refusal(404, "only /v1/traces is here");
  if (request.method !== "POST") throw new Refusal(405, "only POST is understood");
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/x-protobuf") return "protobuf";
  if (type === "application/json") return "json";
  throw new Refusal(415, "content type is neither application/x-protobuf nor application/json");
}

/** Checks what came; undefined when there is nothing in it. */
function exportFrom(kind: Export["kind"], body: Uint8Array): Export | undefined {
  if (kind === "json") {
    const line = jsonFromJson(body);
    return line === '{"resourceSpans":[]}' ? undefined : { kind, body, line: () => line };
  }
  checkTopLevel(body);
  let line: string | undefined;
  return body.length === 0 ? undefined : { kind, body, line: () => (line ??= jsonFromProtobuf(body)) };
}

function refusalFrom(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof WireError) return new Refusal(400, error.message);
  return new Refusal(503, "cannot write");
}
