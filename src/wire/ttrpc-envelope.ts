import type { MessageTable } from "./message-table.ts";
import { writeMessage } from "./protobuf-encode.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";
import { decodeUtf8 } from "./utf8.ts";
import { WireError } from "./wire-error.ts";

/**
 * The two messages around every call: Request {1 service, 2 method, 3 payload, 4 timeout_nano, 5 metadata} and
 * Response {1 status {1 code, 2 message}, 2 payload}. They are read and written by hand because each call pays for
 * them: the payload is encoded in place and decoded where it lies, and names are compared as bytes.
 */

/** Metadata of a call that has none. */
const noMetadata: readonly (readonly [key: string, value: string])[] = Object.freeze([]);

/** As many as Node lets into the headers of a gRPC call; a caller's trace context needs two. */
const maxMetadataPairs = 128;

/** A place in the bytes that the reader was given. */
export type Place = { from: number; to: number };

/** Reads one Request after the other; the fields are those of the last one. */
export class RequestReader extends ProtobufReader {
  readonly service: Place = { from: 0, to: 0 };
  readonly method: Place = { from: 0, to: 0 };
  readonly payload: Place = { from: 0, to: 0 };
  /** 0 = none, negative = expired. Exact up to 2^53 ns (104 days). */
  timeoutNano = 0;
  /** In the order of arrival; keys in lower case. */
  metadata: readonly (readonly [key: string, value: string])[] = noMetadata;

  constructor() {
    super(new Uint8Array(0));
  }

  /** @throws WireError when the bytes are not a Request, or one with more than 128 pairs of metadata. */
  read(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
    this.timeoutNano = 0;
    this.metadata = noMetadata;
    let metadata: (readonly [string, string])[] | undefined;
    clear(this.service);
    clear(this.method);
    clear(this.payload);
    while (this.at < to) {
      const tag = this.tag();
      if (tag === 10) this.#place(this.service);
      else if (tag === 18) this.#place(this.method);
      else if (tag === 26) this.#place(this.payload);
      else if (tag === 32) this.timeoutNano = this.int64AsNumber();
      else if (tag === 42) {
        metadata ??= [];
        // A pair may be two bytes long on the wire: without a bound one frame could hold two million of them.
        if (metadata.length === maxMetadataPairs) throw new WireError("too much metadata");
        metadata.push(this.#keyValue());
      } else this.skip(tag & 7);
    }
    if (metadata !== undefined) this.metadata = metadata;
  }

  /** A name as text, for error messages. @throws WireError when it is not UTF-8. */
  text(place: Place): string {
    try {
      return decodeUtf8(this.bytes, place.from, place.to);
    } catch {
      throw new WireError("invalid UTF-8");
    }
  }

  #place(place: Place): void {
    const length = this.length();
    place.from = this.at;
    this.at += length;
    place.to = this.at;
  }

  #keyValue(): readonly [string, string] {
    const outerEnd = this.end;
    this.end = this.length() + this.at;
    let key = "";
    let value = "";
    while (this.at < this.end) {
      const tag = this.tag();
      if (tag === 10) key = this.string().toLowerCase();
      else if (tag === 18) value = this.string();
      else this.skip(tag & 7);
    }
    this.end = outerEnd;
    return [key, value];
  }
}

/** Reads one Response after the other; the fields are those of the last one. */
export class ResponseReader extends ProtobufReader {
  /** 0 when the status is absent. */
  code = 0;
  message = "";
  readonly payload: Place = { from: 0, to: 0 };

  constructor() {
    super(new Uint8Array(0));
  }

  /** @throws WireError when the bytes are not a Response. */
  read(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
    this.code = 0;
    this.message = "";
    clear(this.payload);
    while (this.at < to) {
      const tag = this.tag();
      if (tag === 10) this.#status();
      else if (tag === 18) {
        const length = this.length();
        this.payload.from = this.at;
        this.at += length;
        this.payload.to = this.at;
      } else this.skip(tag & 7);
    }
  }

  #status(): void {
    const outerEnd = this.end;
    this.end = this.length() + this.at;
    while (this.at < this.end) {
      const tag = this.tag();
      if (tag === 8) this.code = this.int32();
      else if (tag === 18) this.message = this.string();
      else this.skip(tag & 7);
    }
    this.end = outerEnd;
  }
}

/** What a Request says besides its message. */
export type RequestHead = {
  service: string;
  method: string;
  /** 0 or absent = no deadline. */
  timeoutNano?: bigint | undefined;
  metadata?: Iterable<readonly [key: string, value: string]> | undefined;
};

/** Writes a Request around `message`. Large byte arrays go in by reference. */
export function writeRequest(
  writer: ProtobufWriter,
  head: RequestHead,
  table: MessageTable,
  message: object,
): void {
  writer.string(1, head.service);
  writer.string(2, head.method);
  writePayload(writer, 3, table, message);
  if (head.timeoutNano !== undefined && head.timeoutNano !== 0n) writer.int64(4, head.timeoutNano);
  for (const [key, value] of head.metadata ?? noMetadata) {
    const mark = writer.begin(5);
    writer.string(1, key);
    writer.string(2, value);
    writer.end(mark);
  }
}

/** Writes a Response that carries `message`; the status is left out, which means OK. */
export function writeResponse(writer: ProtobufWriter, table: MessageTable, message: object): void {
  writePayload(writer, 2, table, message);
}

/** Writes a Response that carries an error. */
export function writeErrorResponse(writer: ProtobufWriter, code: number, message: string): void {
  const mark = writer.begin(1);
  writer.int32(1, code);
  if (message !== "") writer.string(2, message);
  writer.end(mark);
}

/** An empty message is left out with its tag: absent and empty are the same. */
function writePayload(writer: ProtobufWriter, field: number, table: MessageTable, message: object): void {
  const start = writer.mark();
  const mark = writer.begin(field);
  writeMessage(writer, table, message);
  if (writer.since(mark) === 1) writer.rewind(start);
  else writer.end(mark);
}

function clear(place: Place): void {
  place.from = 0;
  place.to = 0;
}
