import { AgentError } from "../../base/agent-error.ts";
import type { ByteStream } from "../../base/byte-stream.ts";
import { Code } from "../../base/code.ts";
import type { Input } from "../../gen/message-type.ts";
import type { MethodDescriptor } from "../../gen/methods.ts";
import { decodeMessage } from "../../wire/protobuf-decode.ts";
import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import { ResponseReader, writeRequest } from "../../wire/ttrpc-envelope.ts";
import {
  beginFrame,
  endFrame,
  FrameParser,
  type FrameSink,
  FrameType,
  maxFrameBytes,
} from "../../wire/ttrpc-frame.ts";
import type { CallOptions, Client } from "../client.ts";
import { Pending } from "./pending.ts";

/** Time for requests that are on their way to leave when the client is closed. */
const lastWriteMs = 1000;
const lastId = 0xffff_ffff;

/**
 * A ttRPC client over `stream`, which it owns from now on.
 *
 * Primer. Each call takes the next odd stream id and waits under it for its answer, in whatever order answers come.
 * A call that was given up leaves its id behind: ttRPC has no way to cancel, so its answer comes and is ignored.
 * The stream is not opened again once it has ended: make a new client. (wire-and-tracing 1.5, 1.7)
 */
export function createTtrpcClient(stream: ByteStream): Client {
  return new TtrpcClient(stream);
}

class TtrpcClient implements Client, FrameSink {
  readonly #stream: ByteStream;
  readonly #parser = new FrameParser(this);
  readonly #reader = new ResponseReader();
  readonly #writer = new ProtobufWriter(512);
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #lost: AgentError | undefined;
  #flushQueued = false;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    stream.start(
      (chunk) => this.#parser.push(chunk),
      (error) => this.#lose(error === undefined ? "closed by the peer" : error.message),
    );
  }

  async call<Request extends object, Response extends object>(
    method: MethodDescriptor<Request, Response>,
    request: Input<NoInfer<Request>>,
    options: CallOptions = {},
  ): Promise<Response> {
    options.signal?.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    const id = this.#takeId();
    this.#send(id, method, request, options);
    const pending = new Pending(method.responseType, options, () => this.#pending.delete(id));
    this.#pending.set(id, pending);
    return (await pending.answer) as Response;
  }

  frame(id: number, type: number, bytes: Uint8Array, from: number, to: number, stable: boolean): void {
    const pending = this.#pending.get(id);
    // Answers to calls that were given up come late, and other frame types are not for us.
    if (pending === undefined || type !== FrameType.response) return;
    const reader = this.#reader;
    try {
      reader.read(bytes, from, to);
      if (reader.code !== Code.ok) throw new AgentError(reader.code as Code, reader.message);
      pending.resolve(decodeMessage(pending.type, bytes, { ...reader.payload, stable }));
    } catch (thrown) {
      pending.reject(AgentError.from(thrown));
    }
  }

  oversize(id: number): void {
    this.#pending
      .get(id)
      ?.reject(new AgentError(Code.resourceExhausted, `answer exceeds ${maxFrameBytes} bytes`));
  }

  close(): Promise<void> {
    this.#flush();
    this.#lose("the client was closed");
    return this.#stream.close(lastWriteMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #takeId(): number {
    if (this.#nextId > lastId)
      throw new AgentError(Code.unavailable, "all stream ids are used: connect again");
    const id = this.#nextId;
    this.#nextId += 2;
    return id;
  }

  #send(id: number, method: MethodDescriptor, request: object, options: CallOptions): void {
    const mark = beginFrame(this.#writer, id, FrameType.request);
    const timeoutNano = options.timeoutMs === undefined ? undefined : nanoseconds(options.timeoutMs);
    const head = { service: method.service, method: method.name, timeoutNano, metadata: options.metadata };
    try {
      writeRequest(this.#writer, head, method.requestType, request);
    } catch (thrown) {
      this.#writer.rewind(mark);
      throw AgentError.from(thrown, `cannot encode ${method.requestType.name}`, Code.invalidArgument);
    }
    if (endFrame(this.#writer, mark) > maxFrameBytes) {
      this.#writer.rewind(mark);
      throw new AgentError(Code.resourceExhausted, `request exceeds ${maxFrameBytes} bytes`);
    }
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#flushQueued = false;
    if (this.#lost === undefined && this.#writer.length > 0) this.#stream.write(...this.#writer.chunks());
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = new AgentError(Code.unavailable, `connection lost: ${reason}`);
    for (const pending of [...this.#pending.values()]) pending.reject(this.#lost);
  }
}

/** A timeout that has passed is sent as -1, since 0 means none. */
function nanoseconds(ms: number): bigint {
  return ms > 0 ? BigInt(Math.ceil(ms * 1e6)) : -1n;
}
