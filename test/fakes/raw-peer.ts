import type { ByteStream } from "../../src/base/byte-stream.ts";
import { Request, Response } from "../../src/gen/ttrpc.ts";
import { decodeMessage } from "../../src/wire/protobuf-decode.ts";
import { encodeMessage } from "../../src/wire/protobuf-encode.ts";
import { FrameParser } from "../../src/wire/ttrpc-frame.ts";

/** One answer as a test wants to see it; `code` is 0 without a status. */
export type Seen = { id: number; code: number; message: string; payload: Uint8Array };

/** A ttRPC client that keeps to no rule: it sends whatever bytes a test makes. */
export class RawPeer {
  readonly stream: ByteStream;
  /** Resolves when the server has closed the connection. */
  readonly ended: Promise<void>;
  readonly #answers: Seen[] = [];
  #wake: (() => void) | undefined;

  constructor(stream: ByteStream) {
    this.stream = stream;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const parser = new FrameParser({
      frame: (id, _type, bytes, from, to) => {
        const { status, payload } = decodeMessage(Response, bytes, { from, to });
        this.#answers.push({ id, code: status?.code ?? 0, message: status?.message ?? "", payload });
        this.#wake?.();
      },
      oversize: (id) => {
        throw new Error(`the server sent an oversize frame on ${id}`);
      },
    });
    stream.start(
      (chunk) => parser.push(chunk),
      () => resolve(),
    );
  }

  send(...frames: Uint8Array[]): void {
    this.stream.write(...frames);
  }

  /** The next answers, in the order in which they came. */
  async answers(count: number): Promise<Seen[]> {
    while (this.#answers.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#answers.splice(0, count);
  }

  async answer(): Promise<Seen> {
    return (await this.answers(1))[0] as Seen;
  }
}

/** A frame with any header. */
export function frame(id: number, type: number, data: Uint8Array = new Uint8Array(0), flags = 0): Uint8Array {
  const bytes = Buffer.alloc(10 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.writeUInt32BE(id, 4);
  bytes[8] = type;
  bytes[9] = flags;
  bytes.set(data, 10);
  return bytes;
}

/** A Request frame. */
export function request(
  id: number,
  service: string,
  method: string,
  more: Partial<Request> = {},
): Uint8Array {
  return frame(id, 1, encodeMessage(Request, { service, method, ...more }));
}

/** A Request frame for Health.Check, the call that always works. */
export function check(id: number, more: Partial<Request> = {}): Uint8Array {
  return request(id, "grpc.Health", "Check", more);
}
