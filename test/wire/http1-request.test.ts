import t from "tap";
import { plainHead } from "../../src/wire/http1-request.ts";

const bytesOf = (...lines: string[]): Uint8Array => Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
const start = "POST /v1/traces HTTP/1.1";

t.test(
  "a plain head is read, however its names are written, and what stands behind it is left",
  async (t) => {
    const head = bytesOf(start, "Host: x", "Content-Length: 12", "kata-batch: a-1", "Connection: keep-alive");
    const read = plainHead(Buffer.concat([head, Buffer.from("POST ")]));
    t.match(read, { method: "POST", url: "/v1/traces", bodyBytes: 12, headBytes: head.length });
    t.equal(read?.headers["kata-batch"], "a-1");
  },
);

t.test(
  "texts are told from others that look like them, and what nobody asks for is passed over",
  async (t) => {
    const lines = ["content-length: 7", "CONTENT-TYPE: application/json  ", "x-y:", "user-agent: a/1 (b; c)"];
    const read = plainHead(bytesOf("PUT /v1/tracet?a=b HTTP/1.1", ...lines));
    t.match(read, { method: "PUT", url: "/v1/tracet?a=b", bodyBytes: 7 });
    t.same({ ...read?.headers }, { "content-length": "7", "content-type": "application/json" });
  },
);

const odd: Readonly<Record<string, Uint8Array>> = {
  "a head that goes on": bytesOf(start, "content-length: 1").subarray(0, -1),
  "a head beyond 8 KiB": bytesOf(start, "content-length: 1", `x: ${"y".repeat(8200)}`),
  "an empty length": bytesOf(start, "content-length: "),
  "a length beyond a gigabyte": bytesOf(start, "content-length: 1000000000"),
  "a name with a space behind it": bytesOf(start, "content-length : 1"),
  "a name without anything": bytesOf(start, ": 1", "content-length: 1"),
  "a control character in a value": bytesOf(start, "x: \u0001", "content-length: 1"),
  "a long name": bytesOf(start, `${"x".repeat(65)}: 1`, "content-length: 1"),
  "a long URL": bytesOf(`POST /${"x".repeat(256)} HTTP/1.1`, "content-length: 1"),
  "an address without a slash": bytesOf("POST * HTTP/1.1", "content-length: 1"),
  "another method": bytesOf("GET /v1/traces HTTP/1.1", "content-length: 1"),
  "no length": bytesOf(start, "host: x"),
  "two lengths": bytesOf(start, "content-length: 1", "Content-Length: 2"),
  "a length that is none": bytesOf(start, "content-length: 1x"),
  chunks: bytesOf(start, "content-length: 1", "transfer-encoding: chunked"),
  "a packed body": bytesOf(start, "content-length: 1", "content-encoding: gzip"),
  "an expectation": bytesOf(start, "content-length: 1", "expect: 100-continue"),
  "the last request": bytesOf(start, "content-length: 1", "connection: close"),
  "a folded header": bytesOf(start, "content-length: 1", " more"),
  "a bare line feed": Buffer.from(`${start}\ncontent-length: 1\n\n`),
  "HTTP/1.0": bytesOf("POST /v1/traces HTTP/1.0", "content-length: 1"),
  "HTTP/2": Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
};
for (const [what, bytes] of Object.entries(odd))
  t.test(`${what} is not plain`, async (t) => t.equal(plainHead(bytes), undefined));
