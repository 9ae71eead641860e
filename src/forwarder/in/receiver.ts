import type { Socket } from "node:net";
import { deadline } from "../../base/deadline.ts";
import type { Log } from "../../base/log.ts";
import type { Accepted } from "../../vsock/accepted.ts";
import type { Deliver } from "../export.ts";
import type { Metrics } from "../metrics.ts";
import type { Announcements } from "./announcements.ts";
import { FrameDoor } from "./frame-door.ts";
import { createGrpcDoor, type GrpcDoor } from "./grpc-door.ts";
import type { Guest } from "./guest.ts";
import { Guests } from "./guests.ts";
import { HttpDoor } from "./http-door.ts";
import { HttpWork } from "./http-work.ts";
import { Intake } from "./intake.ts";
import type { Limits } from "./limits.ts";
import type { Origin } from "./origin.ts";
import { PlainHttpDoor } from "./plain-http-door.ts";

/**
 * Takes connections that `vsock` accepted and tells by the first bytes which door they are for: a zero byte begins a
 * frame of upstream's agent, `PRI` is HTTP/2 and thus gRPC, anything else is HTTP/1.1. HTTP/1.1 is read here for as long
 * as it is plain; with the first request that is not, the connection becomes one of Node's sockets.
 */

/** From connecting to the first byte: an exporter connects when it has something to say. */
const firstByteTimeoutMs = 30_000;
const upstreamFrame = 0;
const http2Preface = Buffer.from("PRI ");

/** Owns the accepted connections, whichever listener they came by. */
export class Receiver {
  readonly guests: Guests;
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #intake: Intake;
  readonly #http: HttpDoor;
  readonly #work: HttpWork;
  readonly #stopping = new AbortController();
  readonly #sockets = new Set<Socket>();
  /** Connections that are read here, without a socket of Node's. */
  readonly #streams = new Set<Promise<unknown>>();
  #grpc: Promise<GrpcDoor> | undefined;

  constructor(deliver: Deliver, announcements: Announcements, limits: Limits, metrics: Metrics, log: Log) {
    this.guests = new Guests(limits);
    this.#log = log;
    this.#metrics = metrics;
    this.#intake = new Intake(deliver, metrics);
    this.#work = new HttpWork(this.#intake, announcements, metrics, log);
    this.#http = new HttpDoor(this.#work, this.#stopping.signal);
  }

  /** Takes over an accepted connection. */
  accept(accepted: Accepted, origin: Origin): void {
    const guest = this.guests.join(origin);
    if (guest === undefined) {
      accepted.close();
      this.#metrics.connectionRefused();
      this.#log.warn({ origin: origin.key }, "too many connections");
      return;
    }
    this.#serve(accepted, guest)
      .catch((error: Error) => {
        accepted.close();
        this.#log.debug({ origin: origin.key, err: error.message }, "connection dropped");
      })
      .finally(() => this.guests.leave(guest));
  }

  /** Lets requests that have arrived end, but not longer than `limitMs`, and closes all connections. */
  async close(limitMs: number): Promise<void> {
    this.#stopping.abort();
    const { promise: limit, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    const grpc = this.#grpc?.then((door) => door.close(limitMs));
    await Promise.race([Promise.all([this.#http.idle(), grpc, ...this.#streams]), limit]);
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#http.close();
  }

  /** Resolves when the connection is over. */
  async #serve(accepted: Accepted, guest: Guest): Promise<void> {
    const limit = deadline(firstByteTimeoutMs, this.#stopping.signal);
    const first = await accepted.firstByte(limit.signal).finally(limit.done);
    if (first < upstreamFrame) return accepted.close();
    this.#log.debug({ origin: guest.origin.key }, "guest connected");
    if (first === upstreamFrame) {
      const door = new FrameDoor(accepted.stream(), guest, this.#intake, this.#stopping.signal);
      const refusal = await this.#whileServed(door.serve());
      if (refusal === undefined) return;
      const { status, message } = refusal;
      return this.#log.warn(
        { origin: guest.origin.key, status, err: message },
        "connection ended: no way on",
      );
    }
    const door = new PlainHttpDoor(accepted.stream(), guest, this.#work, this.#stopping.signal);
    const unread = await this.#whileServed(door.serve());
    if (unread !== undefined) await this.#serveSocket(accepted.socket(), unread, guest);
  }

  async #serveSocket(socket: Socket, unread: Uint8Array, guest: Guest): Promise<void> {
    this.#sockets.add(socket);
    socket.unshift(unread);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    try {
      if (await isHttp2(socket, this.#stopping.signal)) {
        this.#grpc ??= createGrpcDoor(this.#intake, guest.limits, this.#stopping.signal, this.#log);
        (await this.#grpc).take(socket, guest);
      } else this.#http.take(socket, guest);
      process.nextTick(() => socket.resume());
      await closed;
    } finally {
      socket.destroy();
      this.#sockets.delete(socket);
    }
  }

  #whileServed<T>(served: Promise<T>): Promise<T> {
    this.#streams.add(served);
    return served.finally(() => this.#streams.delete(served));
  }
}

/**
 * Looks at the first bytes and puts them back; the socket is paused then.
 * @throws the reason of the signal; an error when the peer has gone.
 */
async function isHttp2(socket: Socket, stopping: AbortSignal): Promise<boolean> {
  const { signal, done } = deadline(firstByteTimeoutMs, stopping);
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const length = Math.min(head.length, http2Preface.length);
    const isSame = http2Preface.subarray(0, length).equals(head.subarray(0, length));
    if (!isSame || length === http2Preface.length) resolve(isSame);
  };
  const onEnd = () => reject(new Error("closed before it said anything"));
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.on("data", onData).on("end", onEnd).on("error", reject).on("close", onEnd);
  try {
    return await promise;
  } finally {
    done();
    socket.off("data", onData).off("end", onEnd).off("error", reject).off("close", onEnd);
    socket.pause();
    if (head.length > 0) socket.unshift(head);
  }
}
