import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Refusal } from "../refusal.ts";
import type { Guest } from "./guest.ts";
import { defaultLimits, type Limits } from "./limits.ts";

/**
 * Bodies of requests, from guests that may be hostile.
 *
 * A body counts against its own limit and against its guest's share, chunk by chunk as it is kept: what a header
 * promises reserves nothing, and a packed body is unpacked as it comes and counts as it is unpacked, since a few bytes
 * may become a thousand times as many. Joining the chunks takes their room once more, so that counts too, for that
 * moment. Whoever got a body gives its share back when it is done with it.
 */

/** What a chunk costs besides its bytes, about: a guest may send them one by one. */
const chunkBytes = 512;
const tooLong = "request body too long";
const cutOff = "request body cut off";

/** A body without its content encoding, and how much of the guest's share it holds until `release` is called. */
export type Body = { bytes: Uint8Array; release(): void };

/**
 * Reads a request's body.
 * @throws Refusal 413 (too long), 415 (unknown encoding), 400 (broken encoding or cut off), 503 (share used up).
 */
export async function readBody(
  request: IncomingMessage,
  guest: Pick<Guest, "take" | "give">,
  { maxBodyBytes }: Pick<Limits, "maxBodyBytes"> = defaultLimits,
): Promise<Body> {
  let held = 0;
  let length = 0;
  const release = (bytes = held) => {
    guest.give(bytes);
    held -= bytes;
  };
  const take = (bytes: number) => {
    guest.take(bytes);
    held += bytes;
  };
  const keep = (bytes: number) => {
    if (length + bytes > maxBodyBytes) throw new Refusal(413, tooLong);
    take(bytes + chunkBytes);
    length += bytes;
  };
  try {
    const chunks = await collect(request, decoded(request), keep, maxBodyBytes);
    if (chunks.length === 1) return { bytes: chunks[0] as Buffer, release: () => release() };
    take(length);
    const bytes = Buffer.concat(chunks);
    release(held - length);
    return { bytes, release: () => release() };
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
  keep: (bytes: number) => void,
  maxBodyBytes: number,
): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  source.on("data", (chunk: Buffer) => {
    try {
      keep(chunk.length);
      chunks.push(chunk);
    } catch (error) {
      // At once: what is unpacked in this turn already would come all the same.
      stop(request, source);
      reject(error);
    }
  });
  source.on("end", resolve);
  source.on("error", () => reject(new Refusal(400, source === request ? cutOff : "broken gzip")));
  watchArrival(request, source, maxBodyBytes, reject);
  try {
    await promise;
    // Zeros behind the packed bytes are passed over, all others were an error.
    if (source !== request) request.unpipe().resume();
  } catch (error) {
    stop(request, source);
    throw error;
  }
  return chunks;
}

/** Packed bytes have a limit of their own: they may unpack to nothing. */
function watchArrival(
  request: IncomingMessage,
  source: Readable,
  maxBodyBytes: number,
  reject: (error: Error) => void,
): void {
  request.on("error", reject);
  request.on("close", () => {
    if (!request.complete) reject(new Refusal(400, cutOff));
  });
  if (source === request) return;
  let arrived = 0;
  request.on("data", (chunk: Buffer) => {
    arrived += chunk.length;
    if (arrived > maxBodyBytes) reject(new Refusal(413, tooLong));
  });
}

/** Nothing more is read or unpacked. The request stays open for its answer. */
function stop(request: IncomingMessage, source: Readable): void {
  request.unpipe();
  request.pause();
  source.removeAllListeners("data");
  if (source !== request) source.destroy();
}
