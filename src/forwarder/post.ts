import { Agent, type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import type { Address } from "../vsock/address.ts";
import { dialSocket } from "../vsock/dial.ts";
import type { Export } from "./output.ts";

/** How one try went. `reason` is for the log. */
export type Posted =
  | { status: "sent" }
  | { status: "retry"; afterMs: number | undefined; reason: string }
  | { status: "failed"; reason: string };

/** Sends requests of one kind, end to end as one. Never rejects; ends as `retry` when the signal aborts. */
export type Post = (parts: readonly Pick<Export, "kind" | "body">[], signal: AbortSignal) => Promise<Posted>;

/** Where a backend is: the address to connect to, and what HTTP has to be told. */
export type Backend = { address: Address; authority: string; path: string };

const connectTimeoutMs = 5_000;
const answerTimeoutMs = 10_000;
/** An answer is read to its end but only so far kept; larger ones cost the connection. */
const maxAnswerBytes = 4 * 1024 * 1024;
const maxAfterMs = 60_000;
const retryable: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);

/** Keeps one connection to the backend, opened by `vsock`. */
class DialAgent extends Agent {
  readonly #address: Address;

  constructor(address: Address) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#address = address;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    dialSocket(this.#address, { timeoutMs: connectTimeoutMs }).then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}

/** Makes the function that posts to one backend. */
export function createPost({ address, authority, path }: Backend): Post {
  const agent = new DialAgent(address);
  return async (parts, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs + answerTimeoutMs)]);
    const headers = {
      host: authority,
      "content-type": parts[0]?.kind === "json" ? "application/json" : "application/x-protobuf",
      "content-length": parts.reduce((sum, part) => sum + part.body.length, 0),
    };
    return new Promise<Posted>((resolve) => {
      const outgoing = request({ agent, method: "POST", path, headers, signal: limit }, (answer) => {
        postedFrom(answer).then(resolve, (error: Error) => {
          outgoing.destroy();
          resolve({ status: "retry", afterMs: undefined, reason: error.message });
        });
      });
      outgoing.on("error", (error) =>
        resolve({ status: "retry", afterMs: undefined, reason: error.message }),
      );
      outgoing.setNoDelay(true);
      for (const part of parts) outgoing.write(part.body);
      outgoing.end();
    });
  };
}

async function postedFrom(answer: IncomingMessage): Promise<Posted> {
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxAnswerBytes) throw new Error("answer too long");
  }
  const { statusCode = 0, headers } = answer;
  if (statusCode >= 200 && statusCode < 300) return { status: "sent" };
  const reason = `HTTP status ${statusCode}`;
  if (!retryable.has(statusCode)) return { status: "failed", reason };
  return { status: "retry", afterMs: retryAfterMs(headers["retry-after"]), reason };
}

function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxAfterMs);
}
