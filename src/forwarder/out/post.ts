import { Agent, type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Address } from "../../vsock/address.ts";
import { dialSocket } from "../../vsock/dial.ts";
import { secureSocket, type TlsOptions } from "../../vsock/secure-socket.ts";
import type { Posted } from "./posted.ts";

/** Where a backend that speaks HTTP is, and what it has to be told. */
export type Endpoint = {
  readonly address: Address;
  /** For the `host` header. */
  readonly authority: string;
  /** For the certificate. */
  readonly host: string;
  readonly path: string;
  readonly tls: TlsOptions | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  /** For one request, connecting apart. */
  readonly timeoutMs: number;
};

/** One request: its body in pieces. */
export type Message = {
  readonly method: "POST" | "PUT";
  readonly type: string;
  readonly body: readonly Uint8Array[];
  readonly headers?: Readonly<Record<string, string>>;
};

/**
 * Sends messages to one endpoint over one connection. Never rejects; `retry` when the signal aborts. Once it has resolved
 * nobody reads the body any more.
 */
export type Post = {
  (message: Message, signal: AbortSignal): Promise<Posted & { answer?: Buffer }>;
  /** Closes the connection. */
  close(): void;
};

const connectTimeoutMs = 5_000;
/** An answer is read to its end but only so far kept; larger ones cost the connection. */
const maxAnswerBytes = 4 * 1024 * 1024;
const maxAfterMs = 60_000;
const retryable: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);
const packed = promisify(gzip);

/** Keeps one connection to the backend, opened by `vsock`. */
class DialAgent extends Agent {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#endpoint = endpoint;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#dial().then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }

  async #dial(): Promise<Duplex> {
    const { address, tls, host } = this.#endpoint;
    const socket = await dialSocket(address, { timeoutMs: connectTimeoutMs });
    return tls === undefined ? socket : secureSocket(socket, host, tls);
  }
}

/** Makes the function that posts to one endpoint. */
export function createPost(endpoint: Endpoint): Post {
  const agent = new DialAgent(endpoint);
  const post = async (message: Message, signal: AbortSignal) => {
    const body = endpoint.gzip ? [await packed(Buffer.concat(message.body))] : message.body;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs + endpoint.timeoutMs)]);
    return sendOnce(agent, endpoint, { ...message, body }, limit);
  };
  return Object.assign(post, { close: () => agent.destroy() });
}

function sendOnce(
  agent: Agent,
  { authority, path, headers, gzip: isPacked }: Endpoint,
  message: Message,
  signal: AbortSignal,
): Promise<Posted & { answer?: Buffer }> {
  const all: Record<string, string | number> = {
    ...headers,
    ...message.headers,
    host: authority,
    "content-type": message.type,
    "content-length": message.body.reduce((sum, part) => sum + part.length, 0),
  };
  if (isPacked) all["content-encoding"] = "gzip";
  const { promise, resolve } = Promise.withResolvers<Posted & { answer?: Buffer }>();
  const retry = (error: Error) => resolve({ status: "retry", afterMs: undefined, reason: error.message });
  const outgoing = request({ agent, method: message.method, path, headers: all, signal }, (answer) => {
    postedFrom(answer).then(
      (posted) => {
        // Answered before it was sent: nothing of a body may be read once its sender has been told how it went.
        if (!outgoing.writableFinished) outgoing.destroy();
        resolve(posted);
      },
      (error: Error) => {
        outgoing.destroy();
        retry(error);
      },
    );
  });
  outgoing.on("error", retry);
  outgoing.setNoDelay(true);
  for (const part of message.body) outgoing.write(part);
  outgoing.end();
  return promise;
}

async function postedFrom(incoming: IncomingMessage): Promise<Posted & { answer?: Buffer }> {
  let bytes = 0;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxAnswerBytes) throw new Error("answer too long");
    chunks.push(chunk as Buffer);
  }
  const { statusCode = 0, headers } = incoming;
  if (statusCode >= 200 && statusCode < 300) return { status: "sent", answer: Buffer.concat(chunks) };
  const reason = `HTTP status ${statusCode}`;
  if (!retryable.has(statusCode)) return { status: "failed", reason };
  return { status: "retry", afterMs: retryAfterMs(headers["retry-after"]), reason };
}

function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxAfterMs);
}
