import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { Socket } from "node:net";
import { AgentError } from "../../base/agent-error.ts";
import { Code } from "../../base/code.ts";
import { deadline } from "../../base/deadline.ts";
import type { Input } from "../../gen/message-type.ts";
import type { MethodDescriptor } from "../../gen/methods.ts";
import { decodeMessage } from "../../wire/protobuf-decode.ts";
import { encodeMessage } from "../../wire/protobuf-encode.ts";
import { maxFrameBytes } from "../../wire/ttrpc-frame.ts";
import type { CallOptions, Client } from "../client.ts";

/** Each message of a body begins with a byte of flags and a length, 32 bits big-endian. */
const prefixBytes = 5;
const maxHeaderMs = 99_999_999;

/**
 * A gRPC client for unary calls over a connected socket, which it owns from now on.
 * Made on Node's own HTTP/2, because the gRPC library insists on opening its sockets itself.
 */
export function createGrpcClient(socket: Socket): Client {
  return new GrpcClient(socket);
}

class GrpcClient implements Client {
  readonly #session: ClientHttp2Session;
  #lost: AgentError | undefined;

  constructor(socket: Socket) {
    // A socket may stay open after its peer has sent its last byte, but HTTP/2 has no use for one half.
    socket.once("end", () => socket.destroy());
    this.#session = connect("http://agent", { createConnection: () => socket });
    // What goes wrong reaches the calls through their streams; without a listener it would end the process.
    this.#session.on("error", (error) => this.#lose(error.message));
    this.#session.on("close", () => this.#lose("closed"));
  }

  async call<Request extends object, Response extends object>(
    method: MethodDescriptor<Request, Response>,
    request: Input<NoInfer<Request>>,
    options: CallOptions = {},
  ): Promise<Response> {
    options.signal?.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    const body = frame(encodeMessage(method.requestType, request));
    const limit = options.timeoutMs === undefined ? undefined : deadline(options.timeoutMs, options.signal);
    const signal = limit?.signal ?? options.signal;
    const stream = this.#session.request(headers(method, options));
    const onAbort = () => stream.close(constants.NGHTTP2_CANCEL);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      stream.end(body);
      const payload = await answerOf(stream);
      return decodeMessage(method.responseType, payload, { stable: true });
    } catch (thrown) {
      if (signal?.aborted) throw signal.reason;
      throw this.#lost ?? AgentError.from(thrown);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      limit?.done();
    }
  }

  async close(): Promise<void> {
    this.#lose("the client was closed");
    // A session that the server has ended is destroyed without ever having been closed; it tells so only once.
    if (this.#session.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#session.once("close", resolve);
    this.#session.destroy();
    await promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #lose(reason: string): void {
    this.#lost ??= new AgentError(Code.unavailable, `connection lost: ${reason}`);
  }
}

function frame(message: Uint8Array): Buffer {
  if (message.length > maxFrameBytes) {
    throw new AgentError(Code.resourceExhausted, `request exceeds ${maxFrameBytes} bytes`);
  }
  const body = Buffer.alloc(prefixBytes + message.length);
  body.writeUInt32BE(message.length, 1);
  body.set(message, prefixBytes);
  return body;
}

function headers(method: MethodDescriptor, options: CallOptions): Record<string, string | string[]> {
  const all: Record<string, string | string[]> = {
    ":method": "POST",
    ":path": `/${method.path}`,
    "content-type": "application/grpc",
    te: "trailers",
  };
  for (const [key, value] of options.metadata ?? []) all[key] = [...(all[key] ?? []), value];
  if (options.timeoutMs !== undefined) {
    all["grpc-timeout"] = `${Math.min(maxHeaderMs, Math.max(0, Math.ceil(options.timeoutMs)))}m`;
  }
  return all;
}

/** The message of the answer. @throws AgentError with the status, if that is not OK. */
async function answerOf(stream: ClientHttp2Stream): Promise<Uint8Array> {
  let status: Status | undefined;
  // A refusal without a message has its status in the first block of headers.
  stream.on("response", (block) => {
    status = statusOf(block);
  });
  stream.on("trailers", (block) => {
    status ??= statusOf(block);
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxFrameBytes + prefixBytes) {
      stream.close(constants.NGHTTP2_CANCEL);
      throw new AgentError(Code.resourceExhausted, `answer exceeds ${maxFrameBytes} bytes`);
    }
  }
  if (status === undefined) throw new AgentError(Code.unavailable, "the call ended without a status");
  if (status.code !== Code.ok) throw new AgentError(status.code, status.message);
  return messageOf(Buffer.concat(chunks));
}

type Status = { code: Code; message: string };

function statusOf(block: { readonly [name: string]: unknown }): Status | undefined {
  const code = block["grpc-status"];
  if (code === undefined) return undefined;
  return { code: Number(code) as Code, message: decodeURIComponent(String(block["grpc-message"] ?? "")) };
}

function messageOf(body: Buffer): Uint8Array {
  const plain =
    body.length >= prefixBytes && body[0] === 0 && body.readUInt32BE(1) === body.length - prefixBytes;
  if (!plain) throw new AgentError(Code.internal, "the answer is not one uncompressed message");
  return body.subarray(prefixBytes);
}
