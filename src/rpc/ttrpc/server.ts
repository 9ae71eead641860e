import { AgentError } from "../../base/agent-error.ts";
import { giveBack } from "../../base/blocks.ts";
import type { ByteStream } from "../../base/byte-stream.ts";
import { Code } from "../../base/code.ts";
import type { Log } from "../../base/log.ts";
import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import { RequestReader, writeErrorResponse, writeResponse } from "../../wire/ttrpc-envelope.ts";
import {
  beginFrame,
  endFrame,
  FrameParser,
  type FrameSink,
  FrameType,
  maxFrameBytes,
} from "../../wire/ttrpc-frame.ts";
import { WireError } from "../../wire/wire-error.ts";
import { type Dispatcher, decodeRequest, unknownMethod } from "../dispatch.ts";
import { errorText } from "../error-text.ts";
import { LiveCall, type Reply } from "../live-call.ts";

/** Calls that one connection may have running; a peer that needs more has lost count. */
const maxRunningCalls = 16_384;
/** Time for the last answers to leave after the peer has closed its half. */
const lastWriteMs = 1000;
/** Queues a microtask; `queueMicrotask` makes an object for asynchronous hooks each time. */
const resolved = Promise.resolve();

/** How to serve a connection. */
export type TtrpcOptions = {
  readonly log: Log;
  /** Calls that may run at once; default 16,384. Beyond it RESOURCE_EXHAUSTED is answered. */
  readonly maxRunningCalls?: number;
};

/** The server's side of one ttRPC connection. */
export type TtrpcConnection = AsyncDisposable & {
  /** Calls that have no answer yet. */
  readonly running: number;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  /**
   * Refuses new calls with UNAVAILABLE, lets the running ones finish within `graceMs` (default 0) and sends their
   * answers, aborts the rest, and closes the stream. Safe to repeat: later callers join the first.
   */
  close(graceMs?: number): Promise<void>;
};

/**
 * Serves the calls that come in over `stream`, which the connection owns from now on.
 *
 * Primer. One parser cuts frames, one table knows the calls that run, one writer gathers answers. Calls run at the
 * same time and are answered in the order in which they end. Answers that become ready in one turn of the event loop
 * leave in one write. While the peer does not read its answers, nothing more is read from it.
 * A bad frame costs its sender one stream; the connection lives on. (wire-and-tracing 1.5, 1.6)
 */
export function serveTtrpc(
  stream: ByteStream,
  dispatcher: Dispatcher,
  options: TtrpcOptions,
): TtrpcConnection {
  const connection = new Connection(stream, dispatcher, options);
  connection.start();
  return connection;
}

class Connection implements TtrpcConnection, FrameSink, Reply {
  readonly #stream: ByteStream;
  readonly #dispatcher: Dispatcher;
  readonly #log: Log;
  readonly #maxRunning: number;
  readonly #parser = new FrameParser(this);
  readonly #reader = new RequestReader();
  readonly #writer = new ProtobufWriter(512);
  readonly #calls = new Map<number, LiveCall>();
  readonly #closed = Promise.withResolvers<void>();
  #state: "open" | "draining" | "closed" = "open";
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  #lastId = 0;
  #flushQueued = false;
  #held = false;
  /** `performance.now()` of the chunk that is being parsed, and of the one in which the current frame began. */
  #chunkAtMs = 0;
  #receivedAtMs = 0;
  /** Calls whose answers have not been written yet. */
  #unwritten: LiveCall[] = [];
  /** What has been handed to the stream for sending since it was last looked whether all has left. */
  #handed: Uint8Array[] = [];

  constructor(stream: ByteStream, dispatcher: Dispatcher, options: TtrpcOptions) {
    this.#stream = stream;
    this.#dispatcher = dispatcher;
    this.#log = options.log;
    this.#maxRunning = options.maxRunningCalls ?? maxRunningCalls;
  }

  get running(): number {
    return this.#calls.size;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  start(): void {
    this.#stream.start(
      (chunk) => {
        this.#chunkAtMs = performance.now();
        if (this.#parser.atBoundary) this.#receivedAtMs = this.#chunkAtMs;
        this.#parser.push(chunk);
      },
      (error) => this.#onEnd(error),
    );
  }

  frame(id: number, type: number, bytes: Uint8Array, from: number, to: number, stable: boolean): void {
    if (this.#state === "closed") return;
    if ((id & 1) === 0) this.#refuse(id, Code.invalidArgument, "stream id must be odd");
    else if (type === FrameType.request) this.#request(id, bytes, from, to, stable);
    else if (type === FrameType.data) this.#data(id);
    // What follows in this chunk begins in it.
    this.#receivedAtMs = this.#chunkAtMs;
  }

  oversize(id: number, type: number): void {
    if (this.#state === "closed") return;
    if ((id & 1) === 0) this.#refuse(id, Code.invalidArgument, "stream id must be odd");
    else if (type === FrameType.data) this.#data(id);
    else if (type === FrameType.request && this.#takeId(id)) {
      this.#refuse(id, Code.invalidArgument, `message exceeds ${maxFrameBytes} bytes`);
    }
    this.#receivedAtMs = this.#chunkAtMs;
  }

  answer(call: LiveCall, message: object): void {
    if (!this.#beginAnswer(call)) return;
    const mark = this.#beginResponse(call.id);
    try {
      writeResponse(this.#writer, call.method.responseType, message);
    } catch (thrown) {
      this.#writer.rewind(mark);
      this.#refuseWith(call.id, AgentError.from(thrown, "cannot encode the answer"));
      return;
    }
    if (endFrame(this.#writer, mark) > maxFrameBytes) {
      this.#writer.rewind(mark);
      this.#refuse(call.id, Code.invalidArgument, `answer exceeds ${maxFrameBytes} bytes`);
      return;
    }
    this.#queueFlush();
  }

  fail(call: LiveCall, error: AgentError): void {
    if (this.#beginAnswer(call)) this.#refuseWith(call.id, error);
  }

  close(graceMs = 0): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #request(id: number, bytes: Uint8Array, from: number, to: number, stable: boolean): void {
    if (!this.#takeId(id)) return;
    if (this.#state === "draining") {
      this.#refuse(id, Code.unavailable, "the server is closing");
    } else if (this.#calls.size >= this.#maxRunning) {
      this.#refuse(id, Code.resourceExhausted, "too many calls at once");
    } else {
      try {
        this.#startCall(id, bytes, from, to, stable);
      } catch (thrown) {
        const code = thrown instanceof WireError ? Code.invalidArgument : undefined;
        this.#refuseWith(id, AgentError.from(thrown, undefined, code));
      }
    }
  }

  #startCall(id: number, bytes: Uint8Array, from: number, to: number, stable: boolean): void {
    const reader = this.#reader;
    reader.read(bytes, from, to);
    const route = this.#dispatcher.index.find(bytes, reader.service, reader.method);
    if (route === undefined) {
      throw unknownMethod(reader.text(reader.service), reader.text(reader.method), this.#dispatcher);
    }
    const call = new LiveCall(route, decodeRequest(route, bytes, reader.payload, stable), {
      metadata: reader.metadata,
      protocol: "ttrpc",
      peer: this.#stream.peer,
      receivedAtMs: this.#receivedAtMs,
      id,
    });
    this.#calls.set(id, call);
    const { timeoutNano } = reader;
    this.#dispatcher.run(call, timeoutNano === 0 ? undefined : timeoutNano / 1e6, this);
  }

  /** Ids must rise; a frame with one that does not is answered on the id that it names. */
  #takeId(id: number): boolean {
    if (id > this.#lastId) {
      this.#lastId = id;
      return true;
    }
    // The answer would end a running call of this id on the other side, so the call ends here as well.
    this.#cancel(id, "stream id used again");
    this.#refuse(id, Code.invalidArgument, "stream id cannot be re-used and must increase");
    return false;
  }

  /** No method of ours takes a stream, so every Data frame is out of place. */
  #data(id: number): void {
    this.#cancel(id, "unexpected stream data");
    this.#refuse(id, Code.invalidArgument, "stream is not active");
  }

  #cancel(id: number, reason: string): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#forget(call);
    call.abort(new AgentError(Code.cancelled, reason));
  }

  /** False when there is nobody left to answer. */
  #beginAnswer(call: LiveCall): boolean {
    this.#forget(call);
    if (this.#state === "closed") {
      call.written();
      return false;
    }
    this.#unwritten.push(call);
    return true;
  }

  #forget(call: LiveCall): void {
    this.#calls.delete(call.id);
    if (this.#onIdle !== undefined && this.#calls.size === 0) this.#onIdle();
  }

  #refuseWith(id: number, error: AgentError): void {
    this.#refuse(id, error.code, error.message);
  }

  #refuse(id: number, code: Code, message: string): void {
    if (this.#state === "closed") return;
    const mark = this.#beginResponse(id);
    writeErrorResponse(this.#writer, code, errorText(message));
    endFrame(this.#writer, mark);
    this.#queueFlush();
  }

  /**
   * A slab that is given up once it is full may live until V8 looks at all of its heap, which it does seldom: under load
   * they add up to tens of megabytes. So each burst is written over the last one, once that has been sent.
   */
  #beginResponse(id: number): number {
    if (this.#stream.backlogBytes === 0) this.#writer.reuse();
    return beginFrame(this.#writer, id, FrameType.response);
  }

  /**
   * One write for all answers of a burst. The calls of a burst go through their handlers in step, one microtask after
   * the other; the flush queues behind them.
   */
  #queueFlush(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    void resolved.then(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushQueued = false;
    if (this.#state === "closed" || this.#writer.length === 0) return;
    const chunks = this.#writer.chunks();
    if (chunks.length > 1) this.#handed.push(...chunks);
    const hasRoom = this.#stream.write(...chunks);
    // The stream itself writes at the end of this turn, before this microtask.
    if (hasRoom) void resolved.then(this.#noteWritten);
    if (hasRoom || this.#held) return;
    this.#held = true;
    this.#stream.pause();
    this.#stream.drained().then(() => {
      this.#held = false;
      this.#noteWritten();
      if (this.#state !== "closed") this.#stream.resume();
    });
  };

  readonly #noteWritten = (): void => {
    const written = this.#unwritten;
    this.#unwritten = [];
    for (const call of written) call.written();
    if (this.#handed.length > 0) this.#giveBack();
  };

  /** Blocks of output may be used again once all that was handed over has left; otherwise V8 finds them some day. */
  #giveBack(): void {
    if (this.#stream.backlogBytes === 0) this.#handed.forEach(giveBack);
    this.#handed = [];
  }

  #onEnd(error: Error | undefined): void {
    if (this.#state === "closed") return;
    if (error !== undefined) this.#log.debug({ peer: this.#stream.peer, err: error }, "connection broke");
    else if (!this.#parser.atBoundary)
      this.#log.debug({ peer: this.#stream.peer }, "connection ended within a frame");
    this.#flush();
    this.#abandon("the connection was closed");
    this.#closing ??= this.#finish(lastWriteMs);
  }

  async #drain(graceMs: number): Promise<void> {
    if (this.#state === "closed") return this.#closed.promise;
    this.#state = "draining";
    const startedAtMs = performance.now();
    if (this.#calls.size > 0 && graceMs > 0) await this.#idle(graceMs);
    this.#flush();
    this.#abandon("the server is closing");
    await this.#finish(Math.max(0, graceMs - (performance.now() - startedAtMs)));
  }

  async #idle(graceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, graceMs);
    this.#onIdle = resolve;
    await promise;
    clearTimeout(timer);
    this.#onIdle = undefined;
  }

  /** From here on nothing is read or written; whoever still works for the peer is told. */
  #abandon(reason: string): void {
    this.#state = "closed";
    const error = new AgentError(Code.cancelled, reason);
    for (const call of this.#calls.values()) call.abort(error);
    this.#calls.clear();
    this.#noteWritten();
    this.#onIdle?.();
  }

  async #finish(graceMs: number): Promise<void> {
    try {
      await this.#stream.close(graceMs);
    } finally {
      this.#closed.resolve();
    }
  }
}
