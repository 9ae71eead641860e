import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Log } from "../../base/log.ts";
import type { Encoding, Metrics } from "../metrics.ts";
import { Refusal } from "../refusal.ts";
import { type Announcements, hostNanos, type Instance } from "./announcements.ts";
import { readBody } from "./body.ts";
import type { Guest } from "./guest.ts";
import { guestWords } from "./guest-words.ts";
import type { Intake } from "./intake.ts";
import { answerRefusal, answerSuccess } from "./otlp-answer.ts";

/**
 * Everything that comes over HTTP/1.1: OTLP in protobuf and JSON, Jaeger's thrift, and the words of our own agent.
 *
 * A sender that gets "success" may forget its spans, so it is answered only when somebody answers for them. When nobody
 * has room it is told to come again (503): its own queue is the place to wait.
 */

const headTimeoutMs = 10_000;
/** How often slow requests are looked for. */
const slowCheckMs = 5_000;
/** A whole request: 64 MiB at 1 MiB a second. */
const requestTimeoutMs = 64_000;

type Connection = { guest: Guest; instances: Set<Instance>; complained: boolean };
type Path = "spans" | "open-spans" | "goodbye";
type Wanted = { path: Path; encoding: Encoding };

/** One HTTP server for the connections of all listeners. */
export class HttpDoor {
  readonly #intake: Intake;
  readonly #announcements: Announcements;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #server: Server;
  readonly #stopping: AbortSignal;
  readonly #connections = new WeakMap<Socket, Connection>();
  readonly #busy = new Set<Promise<void>>();

  constructor(
    intake: Intake,
    announcements: Announcements,
    metrics: Metrics,
    stopping: AbortSignal,
    log: Log,
  ) {
    this.#intake = intake;
    this.#announcements = announcements;
    this.#metrics = metrics;
    this.#stopping = stopping;
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

  /** Serves the connection and owns the socket from now on. */
  take(socket: Socket, guest: Guest): void {
    const connection: Connection = { guest, instances: new Set(), complained: false };
    this.#connections.set(socket, connection);
    socket.on("close", () => {
      for (const instance of connection.instances) this.#announcements.left(instance);
    });
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
    const connection = this.#connections.get(request.socket) as Connection;
    let encoding: Encoding = "otlp-http";
    try {
      const wanted = wantedOf(request);
      encoding = wanted.encoding;
      await this.#work(request, wanted, connection);
      if (request.headers["kata-clock"] !== undefined) response.setHeader("kata-clock", String(hostNanos()));
      answerSuccess(response, encoding);
    } catch (error) {
      // What the intake refused, it has counted.
      const refusal = error instanceof Refusal ? error : this.#intake.refusalOf(error, encoding, 0);
      this.#complain(connection, refusal);
      answerRefusal(response, encoding, refusal);
    }
  }

  async #work(request: IncomingMessage, wanted: Wanted, connection: Connection): Promise<void> {
    const { guest } = connection;
    await guest.pace(this.#stopping);
    const body = await readBody(request, guest);
    guest.spend(body.bytes.length);
    try {
      const words = guestWords(request.headers);
      const instance = words && this.#announcements.instance(guest.origin.key, words);
      if (words === undefined || instance === undefined) return await this.#plain(wanted, guest, body.bytes);
      if (!connection.instances.has(instance)) {
        connection.instances.add(instance);
        this.#announcements.joined(instance);
      }
      await this.#inOrder(instance, words.sequence, async () => {
        await this.#said(wanted, guest, instance, body.bytes);
        instance.openSpans?.forget(words.ended);
      });
    } finally {
      body.release();
    }
  }

  async #plain({ path, encoding }: Wanted, guest: Guest, body: Uint8Array): Promise<void> {
    if (path !== "spans") throw new Refusal(400, "no kata-batch");
    await this.#intake.take(guest, encoding, body);
  }

  async #said({ path, encoding }: Wanted, guest: Guest, instance: Instance, body: Uint8Array): Promise<void> {
    if (path === "spans") await this.#intake.take(guest, encoding, body);
    else if (path === "open-spans") this.#announcements.announce(instance, body);
    else await this.#announcements.goodbye(instance);
  }

  /** One request of an instance after the other; one that was taken before is dropped. */
  async #inOrder(instance: Instance, sequence: number, work: () => Promise<void>): Promise<void> {
    while (instance.busy !== undefined) await instance.busy.catch(() => {});
    if (sequence <= instance.taken) return this.#metrics.repeated();
    const running = work();
    instance.busy = running;
    try {
      await running;
      instance.taken = sequence;
    } finally {
      instance.busy = undefined;
    }
  }

  /** Once per connection: a guest must not be able to fill the host's log. */
  #complain(connection: Connection, { status, message }: Refusal): void {
    if (!connection.complained)
      this.#log.warn({ origin: connection.guest.origin.key, status, err: message }, "export refused");
    connection.complained = true;
  }
}

const paths: Readonly<Record<string, Path>> = {
  "/v1/traces": "spans",
  "/v1/kata/open-spans": "open-spans",
  "/v1/kata/goodbye": "goodbye",
};
const jaegerPath = "/api/traces";
const thriftTypes = new Set(["application/x-thrift", "application/vnd.apache.thrift.binary"]);

/** @throws Refusal 404, 405, 415. */
function wantedOf({ url = "", method, headers }: IncomingMessage): Wanted {
  const [place = ""] = url.split("?", 1);
  const path = place === jaegerPath ? "spans" : Object.hasOwn(paths, place) ? paths[place] : undefined;
  if (path === undefined) throw new Refusal(404, "only /v1/traces and /api/traces are here");
  if (method !== "POST") throw new Refusal(405, "only POST is understood");
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (place === jaegerPath) {
    if (thriftTypes.has(type)) return { path, encoding: "jaeger" };
    throw new Refusal(415, "content type is not application/x-thrift");
  }
  if (path === "goodbye" || type === "application/x-protobuf") return { path, encoding: "otlp-http" };
  if (type === "application/json" && path === "spans") return { path, encoding: "otlp-json" };
  throw new Refusal(415, "content type is neither application/x-protobuf nor application/json");
}
