import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Refusal } from "./refusal.ts";

/**
 * Bodies of requests, from guests that may be hostile.
 *
 * A body counts against its own limit and against one that all bodies share, chunk by chunk as it is kept: what a
 * header promises reserves nothing, and a packed body is unpacked as it comes and counts as it is unpacked, since a
 * few bytes may become a thousand times as many. Whoever got a body gives its share back when it is done with it.
 */

/** What OTLP servers should take (wire-and-tracing 7.3). */
const maxBodyBytes = 64 * 1024 * 1024;
/** What a chunk costs besides its bytes, about: a guest may send them one by one. */
const chunkBytes = 512;
const tooLong = "request body too long";
const cutOff = "request body cut off";

/** Bytes of all bodies that are in memory now. */
export class BodyBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws Refusal 503 when the bodies of all connections together are too much. */
  take(bytes: number): void {
    if (this.#usedBytes + bytes > this.#maxBytes) throw new Refusal(503, "too much at once");
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/** A body without its content encoding, and how much of the budget it holds until `release` is called. */
export type Body = { bytes: Uint8Array; release(): void };

/**
 * Reads a request's body.
 * @throws Refusal 413 (too long), 415 (unknown encoding), 400 (broken encoding or cut off), 503 (budget).
 */
export async function readBody(request: IncomingMessage, budget: BodyBudget): Promise<Body> {
  let held = 0;
  let length = 0;
  const release = () => {
    budget.give(held);
    held = 0;
  };
  const hold = (bytes: number) => {
    if (length + bytes > maxBodyBytes) throw new Refusal(413, tooLong);
    budget.take(bytes + chunkBytes);
    length += bytes;
    held += bytes + chunkBytes;
  };
  try {
    return { bytes: await collect(request, decoded(request), hold), release };
  } catch (error) {
    release();
    throw error instanceof Refusal ? error : new Refusal(400, cutOff);
  }
}

/** What the body is read from: the request itself, or what is unpacked from it. */
function decoded(request: IncomingMessage): Readable {
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") return request;
  if (encoding !== "gzip") throw new Refusal(415, "unknown content encoding");
  return request.pipe(createGunzip());
}

async function collect(
  request: IncomingMessage,
  source: Readable,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  source.on("data", (chunk: Buffer) => {
    try {
      hold(chunk.length);
      chunks.push(chunk);
    } catch (error) {
      reject(error);
    }
  });
  source.on("end", resolve);
  source.on("error", () => reject(new Refusal(400, source === request ? cutOff : "broken gzip")));
  watchArrival(request, reject);
  try {
    await promise;
    // Zeros behind the packed bytes are passed over, all others were an error.
    if (source !== request) request.unpipe().resume();
  } catch (error) {
    stop(request, source);
    throw error;
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Packed bytes have a limit of their own: they may unpack to nothing. */
function watchArrival(request: IncomingMessage, reject: (error: Error) => void): void {
  let arrived = 0;
  request.on("data", (chunk: Buffer) => {
    arrived += chunk.length;
    if (arrived > maxBodyBytes) reject(new Refusal(413, tooLong));
  });
  request.on("error", reject);
  request.on("close", () => {
    if (!request.complete) reject(new Refusal(400, cutOff));
  });
}

/** Nothing more is read or unpacked. The request stays open for its answer. */
function stop(request: IncomingMessage, source: Readable): void {
  request.unpipe();
  request.pause();
  if (source !== request) source.destroy();
}
