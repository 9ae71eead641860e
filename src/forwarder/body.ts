import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Refusal } from "./refusal.ts";

/**
 * Bodies of requests, from guests that may be hostile.
 *
 * A body counts against its own limit and against one that all bodies share, byte by byte as it arrives: what a
 * header promises reserves nothing. Whoever got a body gives its share back when it is done with it.
 */

/** What OTLP servers should take (wire-and-tracing 7.3). */
const maxBodyBytes = 64 * 1024 * 1024;
const inflate = promisify(gunzip);

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
  const release = () => {
    budget.give(held);
    held = 0;
  };
  const hold = (bytes: number) => {
    if (held + bytes > maxBodyBytes) throw new Refusal(413, "request body too long");
    budget.take(bytes);
    held += bytes;
  };
  try {
    const raw = await collect(request, hold);
    return { bytes: await decoded(raw, request.headers["content-encoding"], hold), release };
  } catch (error) {
    release();
    throw error instanceof Refusal ? error : new Refusal(400, "request body cut off");
  }
}

async function collect(request: IncomingMessage, hold: (bytes: number) => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      try {
        hold(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        request.pause();
        reject(error);
      }
    });
    request.on("end", resolve);
    request.on("error", reject);
    request.on("close", () => {
      if (!request.complete) reject(new Refusal(400, "request body cut off"));
    });
  });
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

async function decoded(
  raw: Buffer,
  encoding: string | undefined,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  if (encoding === undefined || encoding === "identity") return raw;
  if (encoding !== "gzip") throw new Refusal(415, "unknown content encoding");
  const bytes = await inflate(raw, { maxOutputLength: maxBodyBytes }).catch((error: { code?: string }) => {
    throw error.code === "ERR_BUFFER_TOO_LARGE"
      ? new Refusal(413, "request body too long")
      : new Refusal(400, "broken gzip");
  });
  hold(bytes.length);
  return bytes;
}
