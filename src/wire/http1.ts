import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/**
 * The client's side of HTTP/1.1, as little of it as one POST at a time needs (RFC 9112).
 *
 *     POST /v1/traces HTTP/1.1 CRLF            HTTP/1.1 200 OK CRLF
 *     host: … CRLF                             content-length: 2 CRLF
 *     content-length: n CRLF CRLF              CRLF
 *     n bytes                                  2 bytes
 *
 * An answer's body is measured by chunks, by content-length, or by the end of the connection, in this order.
 * The parser takes bytes in any fragmentation and holds no more of an answer than it was allowed.
 */

/** One answer. Header names are lower case; a header that came twice stands once, joined by a comma. */
export type HttpResponse = {
  status: number;
  headers: ReadonlyMap<string, string>;
  body: Uint8Array;
  /** The connection can carry another request. */
  reusable: boolean;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const crlf = "\r\n";

/** The head of a request with a body of `contentLength` bytes that the caller sends behind it. */
export function requestHead(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  contentLength: number,
): Uint8Array {
  let head = `${method} ${path} HTTP/1.1${crlf}`;
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}${crlf}`;
  return encoder.encode(`${head}content-length: ${contentLength}${crlf}${crlf}`);
}

/** How much an answer may hold. */
export type HttpLimits = { maxHeadBytes: number; maxBodyBytes: number };

/** What the parser is in the middle of; `left` counts bytes still to come. */
type State =
  | { at: "head" }
  | { at: "body"; left: number }
  | { at: "rest" }
  | { at: "chunk-size" }
  | { at: "chunk"; left: number }
  | { at: "chunk-end" }
  | { at: "trailer" };

type Head = { status: number; headers: Map<string, string>; keepAlive: boolean };

/** Reads answers off a connection, one after the other. After it threw, the connection is of no more use. */
export class HttpResponseParser {
  readonly #limits: HttpLimits;
  #state: State = { at: "head" };
  #head: Head | undefined;
  /** Bytes of a line that is not complete yet. */
  #line = "";
  /** Bytes of head, or of chunk framing, seen so far: they share one limit. */
  #framingBytes = 0;
  #body: Uint8Array[] = [];
  #bodyBytes = 0;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  /**
   * Takes the next bytes; gives the answer when they complete one. Interim answers (1xx) are passed over.
   * @throws UNAVAILABLE when the bytes are no HTTP, exceed a limit, or go on behind the answer.
   */
  push(bytes: Uint8Array): HttpResponse | undefined {
    let at = 0;
    while (at < bytes.length) {
      const state = this.#state;
      if (state.at === "body" || state.at === "chunk" || state.at === "rest")
        at = this.#take(state, bytes, at);
      else at = this.#readLine(bytes, at);
      if (this.#isComplete()) {
        if (at < bytes.length) throw malformed("bytes behind the answer");
        return this.#finish();
      }
    }
    return undefined;
  }

  /**
   * The peer has closed: gives the answer if that was how its length is told.
   * @throws UNAVAILABLE when an answer was cut off.
   */
  end(): HttpResponse | undefined {
    if (this.#state.at === "rest") return this.#finish();
    if (this.#state.at === "head" && this.#framingBytes === 0) return undefined;
    throw malformed("answer cut off");
  }

  /** Takes body bytes and returns the place behind them. */
  #take(state: State & { at: "body" | "chunk" | "rest" }, bytes: Uint8Array, at: number): number {
    const count = state.at === "rest" ? bytes.length - at : Math.min(state.left, bytes.length - at);
    this.#bodyBytes += count;
    if (this.#bodyBytes > this.#limits.maxBodyBytes) throw malformed("body too long");
    this.#body.push(bytes.slice(at, at + count));
    if (state.at !== "rest") state.left -= count;
    if (state.at === "chunk" && state.left === 0) this.#state = { at: "chunk-end" };
    return at + count;
  }

  /** Takes bytes up to the next line feed, acts on the line if it is whole, and returns the place behind it. */
  #readLine(bytes: Uint8Array, at: number): number {
    const feed = bytes.indexOf(10, at);
    const to = feed === -1 ? bytes.length : feed;
    this.#framingBytes += to - at + 1;
    if (this.#framingBytes > this.#limits.maxHeadBytes) throw malformed("head too long");
    this.#line += decoder.decode(bytes.subarray(at, to));
    if (feed === -1) return to;
    const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
    this.#line = "";
    this.#onLine(line);
    return feed + 1;
  }

  #onLine(line: string): void {
    if (this.#state.at === "head") this.#onHeadLine(line);
    else if (this.#state.at === "chunk-size") this.#onChunkSize(line);
    else if (this.#state.at === "chunk-end") {
      if (line !== "") throw malformed("chunk too long");
      this.#state = { at: "chunk-size" };
    } else if (line === "") this.#state = { at: "body", left: 0 };
  }

  #onHeadLine(line: string): void {
    if (this.#head === undefined) this.#head = statusLine(line);
    else if (line !== "") addHeader(this.#head.headers, line);
    else this.#afterHead(this.#head);
  }

  #afterHead(head: Head): void {
    if (head.status < 200) {
      this.#head = undefined;
      return;
    }
    const connection = head.headers.get("connection")?.toLowerCase() ?? "";
    if (connection.includes("close")) head.keepAlive = false;
    this.#state = bodyState(head, this.#limits.maxBodyBytes);
    if (this.#state.at === "rest") head.keepAlive = false;
  }

  #onChunkSize(line: string): void {
    const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw malformed("bad chunk size");
    const left = Number.parseInt(size, 16);
    this.#state = left === 0 ? { at: "trailer" } : { at: "chunk", left };
  }

  #isComplete(): boolean {
    return this.#state.at === "body" && this.#state.left === 0;
  }

  #finish(): HttpResponse {
    const { status, headers, keepAlive } = this.#head as Head;
    const body = joined(this.#body, this.#bodyBytes);
    this.#state = { at: "head" };
    this.#head = undefined;
    this.#framingBytes = 0;
    this.#body = [];
    this.#bodyBytes = 0;
    return { status, headers, body, reusable: keepAlive };
  }
}

function statusLine(line: string): Head {
  const parts = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/.exec(line);
  if (parts === null) throw malformed("not HTTP");
  return { status: Number(parts[2]), headers: new Map(), keepAlive: parts[1] === "1" };
}

function addHeader(headers: Map<string, string>, line: string): void {
  const colon = line.indexOf(":");
  if (colon < 1) throw malformed("bad header");
  const name = line.slice(0, colon).toLowerCase();
  const value = line.slice(colon + 1).trim();
  const before = headers.get(name);
  headers.set(name, before === undefined ? value : `${before}, ${value}`);
}

function bodyState(head: Head, maxBodyBytes: number): State {
  if (head.status === 204 || head.status === 304) return { at: "body", left: 0 };
  const encoding = head.headers.get("transfer-encoding");
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== "chunked") throw malformed("unknown transfer encoding");
    return { at: "chunk-size" };
  }
  const length = head.headers.get("content-length");
  if (length === undefined) return { at: "rest" };
  if (!/^\d{1,15}$/.test(length)) throw malformed("bad content length");
  if (Number(length) > maxBodyBytes) throw malformed("body too long");
  return { at: "body", left: Number(length) };
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function malformed(what: string): AgentError {
  return new AgentError(Code.unavailable, `HTTP: ${what}`);
}
