import { decodeUtf8 } from "./utf8.ts";

/**
 * Heads of HTTP/1.1 requests of the plain kind: whole, with a body of known length, nothing to negotiate (RFC 9112).
 *
 *     POST /v1/traces HTTP/1.1 CRLF
 *     content-type: application/x-protobuf CRLF
 *     content-length: n CRLF CRLF
 *
 * Exporters send hardly anything else, so this is quick and says "not plain" to all that it would need care to read:
 * chunks, encodings, expectations, upgrades, a length that comes twice, white space where it is optional.
 *
 * It is one walk over the bytes. A text is made of what somebody asks for and nothing else, and the texts that nearly all
 * requests have are found by their hash instead of being made: splitting the head and trying patterns on its lines took
 * longer than walking over the hundred spans behind it.
 */
export type PlainHead = {
  readonly method: string;
  readonly url: string;
  /** Those that change what is to be done: `content-type` and our agent's own, by names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly bodyBytes: number;
  /** Bytes of the head itself, the empty line included. */
  readonly headBytes: number;
};

const maxHeadBytes = 8_192;
const maxNameBytes = 64;
const maxUrlBytes = 256;
const maxLengthDigits = 9;
const carriageReturn = 13;
const lineFeed = 10;
const space = 32;
const colon = 58;
const slash = 47;
const lastVisible = 126;
const methods: readonly string[] = ["POST", "PUT"];
const version = " HTTP/1.1\r\n";
const lengthName = "content-length";
const wanted: ReadonlySet<string> = new Set([
  "content-type",
  lengthName,
  "kata-batch",
  "kata-clock",
  "kata-ended",
]);
/** Headers that change how the rest is to be read. */
const notPlain: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "expect",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const texts: ReadonlyMap<number, string> = new Map(
  [...wanted, ...notPlain, "/v1/traces", "application/x-protobuf"].map((text) => [hashOf(text), text]),
);
/** Characters of names, in lower case; 0 for what may not stand in one. */
const nameChars = Uint8Array.from({ length: 256 }, (_, char) => {
  const text = String.fromCharCode(char);
  return /[A-Za-z0-9-]/.test(text) ? text.toLowerCase().charCodeAt(0) : 0;
});

/** The head that `bytes` begin with; undefined when it is not whole, or not plain. */
export function plainHead(bytes: Uint8Array): PlainHead | undefined {
  const method = methods.find((each) => hasAt(bytes, 0, each));
  if (method === undefined || bytes[method.length] !== space) return undefined;
  const urlAt = method.length + 1;
  const urlEnd = visibleEnd(bytes, urlAt, space + 1);
  if (bytes[urlAt] !== slash || urlEnd - urlAt > maxUrlBytes || !hasAt(bytes, urlEnd, version))
    return undefined;
  const headers: Record<string, string> = Object.create(null);
  const end = readHeaders(bytes, urlEnd + version.length, headers);
  const bodyBytes = lengthOf(headers[lengthName]);
  if (end === 0 || bodyBytes < 0) return undefined;
  return { method, url: textAt(bytes, urlAt, urlEnd), headers, bodyBytes, headBytes: end };
}

/** Reads lines up to the empty one and gives the place behind that; 0 when it is not there, or a line is not plain. */
function readHeaders(bytes: Uint8Array, from: number, headers: Record<string, string>): number {
  const limit = Math.min(bytes.length, maxHeadBytes);
  for (let at = from; at < limit; ) {
    if (bytes[at] === carriageReturn) return at + 2 <= limit && bytes[at + 1] === lineFeed ? at + 2 : 0;
    const nameEnd = endOfName(bytes, at);
    const isName = nameEnd > at && nameEnd <= at + maxNameBytes && bytes[nameEnd] === colon;
    const valueAt = bytes[nameEnd + 1] === space ? nameEnd + 2 : nameEnd + 1;
    const valueEnd = visibleEnd(bytes, valueAt, space);
    if (!isName || bytes[valueEnd] !== carriageReturn || bytes[valueEnd + 1] !== lineFeed) return 0;
    const name = texts.get(nameHash);
    if (name !== undefined && name.length === nameEnd - at && isNamed(bytes, at, name)) {
      const value = textAt(bytes, valueAt, valueEnd).trimEnd();
      const isKeepAlive = name === "connection" && value.toLowerCase() === "keep-alive";
      if (name in headers || (notPlain.has(name) && !isKeepAlive)) return 0;
      headers[name] = value;
    }
    at = valueEnd + 2;
  }
  return 0;
}

/** Of the name that {@link endOfName} read last, in lower case. */
let nameHash = 0;

function endOfName(bytes: Uint8Array, from: number): number {
  let hash = 0;
  let at = from;
  for (; at < bytes.length; at++) {
    const char = nameChars[bytes[at] as number] as number;
    if (char === 0) break;
    hash = nextHash(hash, char);
  }
  nameHash = hash;
  return at;
}

function isNamed(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++)
    if (nameChars[bytes[at + i] as number] !== name.charCodeAt(i)) return false;
  return true;
}

/** Behind the characters from `first` (space, or the one after it) to the last that can be seen. */
function visibleEnd(bytes: Uint8Array, from: number, first: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] as number) >= first && (bytes[at] as number) <= lastVisible) at++;
  return at;
}

function hasAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function textAt(bytes: Uint8Array, from: number, to: number): string {
  let hash = 0;
  for (let at = from; at < to; at++) hash = nextHash(hash, bytes[at] as number);
  const text = texts.get(hash);
  if (text !== undefined && text.length === to - from && hasAt(bytes, from, text)) return text;
  return decodeUtf8(bytes, from, to);
}

/** -1 for what is no length. */
function lengthOf(text: string | undefined): number {
  if (text === undefined || text.length === 0 || text.length > maxLengthDigits) return -1;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = nextHash(hash, text.charCodeAt(i));
  return hash;
}

function nextHash(hash: number, char: number): number {
  return (Math.imul(hash, 31) + char) | 0;
}
