/**
 * Heads of HTTP/1.1 requests of the plain kind: whole, with a body of known length, nothing to negotiate (RFC 9112).
 *
 *     POST /v1/traces HTTP/1.1 CRLF
 *     content-type: application/x-protobuf CRLF
 *     content-length: n CRLF CRLF
 *
 * Exporters send hardly anything else, so this is quick and says "not plain" to all that it would need care to read:
 * chunks, encodings, expectations, upgrades, a header that comes twice, white space where it is optional.
 */
export type PlainHead = {
  readonly method: string;
  readonly url: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly bodyBytes: number;
  /** Bytes of the head itself, the empty line included. */
  readonly headBytes: number;
};

const maxHeadBytes = 8_192;
const carriageReturn = 13;
const lineFeed = 10;
const decoder = new TextDecoder("latin1");
const startLine = /^(POST|PUT) (\/[\x21-\x7e]{0,255}) HTTP\/1\.1$/;
const headerLine = /^([A-Za-z0-9-]{1,64}): ?([\x20-\x7e]*)$/;
const digits = /^\d{1,9}$/;
/** Headers that change how the rest is to be read. */
const notPlain: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "expect",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The head that `bytes` begin with; undefined when it is not whole, or not plain. */
export function plainHead(bytes: Uint8Array): PlainHead | undefined {
  const headBytes = endOfHead(bytes);
  if (headBytes === 0) return undefined;
  const [first = "", ...lines] = decoder.decode(bytes.subarray(0, headBytes - 4)).split("\r\n");
  const [, method, url] = startLine.exec(first) ?? [];
  const headers = headersOf(lines);
  const length = headers?.["content-length"];
  if (method === undefined || url === undefined || headers === undefined) return undefined;
  if (length === undefined || !digits.test(length)) return undefined;
  return { method, url, headers, bodyBytes: Number(length), headBytes };
}

function headersOf(lines: readonly string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, given, value] = headerLine.exec(line) ?? [];
    if (given === undefined || value === undefined) return undefined;
    const name = given.toLowerCase();
    const isKeepAlive = name === "connection" && value.toLowerCase() === "keep-alive";
    if (name in headers || (notPlain.has(name) && !isKeepAlive)) return undefined;
    headers[name] = value.trim();
  }
  return headers;
}

/** Where the empty line ends; 0 when it is not there. */
function endOfHead(bytes: Uint8Array): number {
  const last = Math.min(bytes.length, maxHeadBytes) - 3;
  for (
    let at = bytes.indexOf(carriageReturn);
    at >= 0 && at < last;
    at = bytes.indexOf(carriageReturn, at + 1)
  )
    if (bytes[at + 1] === lineFeed && bytes[at + 2] === carriageReturn && bytes[at + 3] === lineFeed)
      return at + 4;
  return 0;
}
