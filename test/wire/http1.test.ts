import t from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { type HttpResponse, HttpResponseParser, requestHead } from "../../src/wire/http1.ts";

const limits = { maxHeadBytes: 200, maxBodyBytes: 20 };
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);

/** Feeds an answer in pieces of `size` bytes; an end without bytes stands for a closed connection. */
function parse(answer: string, size: number, ended = false): HttpResponse | undefined {
  const parser = new HttpResponseParser(limits);
  const all = bytes(answer);
  let found: HttpResponse | undefined;
  for (let at = 0; at < all.length; at += size) found = parser.push(all.subarray(at, at + size)) ?? found;
  return ended ? parser.end() : found;
}

t.test("a request's head has its length last and ends with an empty line", async (t) => {
  const head = requestHead("POST", "/v1/traces", { host: "localhost", "content-type": "x/y" }, 42);
  t.equal(
    text(head),
    "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: x/y\r\ncontent-length: 42\r\n\r\n",
  );
});

const ok = "HTTP/1.1 200 OK\r\n";
const whole: [why: string, answer: string, status: number, body: string, reusable: boolean][] = [
  ["a body of known length", `${ok}Content-Length: 5\r\n\r\nhello`, 200, "hello", true],
  ["no body", `${ok}content-length: 0\r\n\r\n`, 200, "", true],
  ["a status without text", "HTTP/1.1 503\r\ncontent-length: 0\r\n\r\n", 503, "", true],
  ["a status that has no body", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true],
  ["bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 2\n\nhi", 200, "hi", true],
  ["the wish to close", `${ok}Connection: Close\r\ncontent-length: 2\r\n\r\nhi`, 200, "hi", false],
  ["an older version", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", 200, "hi", false],
  [
    "chunks",
    `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n`,
    200,
    "hello",
    true,
  ],
  ["a trailer", `${ok}transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n`, 200, "a", true],
  [
    "an interim answer before it",
    `HTTP/1.1 100 Continue\r\n\r\n${ok}content-length: 2\r\n\r\nhi`,
    200,
    "hi",
    true,
  ],
];
for (const [why, answer, status, body, reusable] of whole)
  t.test(`reads an answer with ${why}, in any fragmentation`, async (t) => {
    for (const size of [1, 2, 7, 1000]) {
      const found = parse(answer, size);
      t.match(found, { status, reusable });
      t.equal(text(found?.body ?? bytes("none")), body);
    }
  });

t.test("a body without length goes to the end of the connection", async (t) => {
  const found = parse(`${ok}\r\nto the end`, 3, true);
  t.match(found, { status: 200, reusable: false });
  t.equal(text(found?.body ?? bytes("none")), "to the end");
});

t.test("headers are found in lower case, and repeated ones are joined", async (t) => {
  const found = parse(`${ok}Retry-After:  7 \r\nX: 1\r\nx: 2\r\ncontent-length: 0\r\n\r\n`, 5);
  t.equal(found?.headers.get("retry-after"), "7");
  t.equal(found?.headers.get("x"), "1, 2");
});

t.test("answers that follow each other are read one by one", async (t) => {
  const parser = new HttpResponseParser(limits);
  for (const word of ["one", "two"])
    t.equal(text(parser.push(bytes(`${ok}content-length: 3\r\n\r\n${word}`))?.body ?? bytes("")), word);
});

const refused: [why: string, answer: string][] = [
  ["is no HTTP", "SSH-2.0-OpenSSH\r\n\r\n"],
  ["is HTTP/2", "HTTP/2 200\r\n\r\n"],
  ["has a line without a colon", `${ok}nonsense\r\n\r\n`],
  ["has a head beyond the limit", `${ok}x: ${"y".repeat(200)}\r\n\r\n`],
  ["has a line that never ends", "x".repeat(300)],
  ["promises too long a body", `${ok}content-length: 21\r\n\r\n`],
  ["has a length that is no number", `${ok}content-length: -1\r\n\r\n`],
  ["has two lengths", `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\n`],
  ["has too long a body in chunks", `${ok}transfer-encoding: chunked\r\n\r\nff\r\n${"x".repeat(255)}`],
  ["has a bad chunk size", `${ok}transfer-encoding: chunked\r\n\r\nx\r\n`],
  ["has a chunk longer than its size", `${ok}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n`],
  ["has too long a body to the end", `${ok}\r\n${"x".repeat(21)}`],
  ["has an unknown transfer encoding", `${ok}transfer-encoding: gzip\r\n\r\n`],
  ["has bytes behind it", `${ok}content-length: 1\r\n\r\nab`],
];
for (const [why, answer] of refused)
  t.test(`refuses an answer that ${why}, with UNAVAILABLE`, async (t) => {
    t.throws(() => parse(answer, 1000), AgentError);
  });

for (const answer of [
  "HTTP/1.1 2",
  `${ok}content-length: 5\r\n\r\nhel`,
  `${ok}transfer-encoding: chunked\r\n\r\n5\r\nh`,
])
  t.test(`an answer cut off is an error: ${JSON.stringify(answer)}`, async (t) => {
    t.throws(() => parse(answer, 4, true), /cut off/);
  });

t.test("a connection that closes between answers is no error", async (t) => {
  t.equal(new HttpResponseParser(limits).end(), undefined);
});
