import type { ServerResponse } from "node:http";
import { ProtobufWriter } from "../../wire/protobuf-writer.ts";
import type { Encoding } from "../metrics.ts";
import type { Refusal } from "../refusal.ts";

/** google.rpc codes for what an HTTP status says. */
const rpcCodes: ReadonlyMap<number, number> = new Map([
  [400, 3],
  [404, 5],
  [413, 8],
  [429, 8],
  [503, 14],
]);
const invalidArgument = 3;
/** How long a sender should wait when we are full: it has a queue of its own. */
const retryAfterSeconds = "1";
const tooFastSeconds = "5";

/** Full success, in the request's own type: an answer without anything in it. */
export function answerSuccess(response: ServerResponse, encoding: Encoding): void {
  // What Jaeger's collector answers.
  if (encoding === "jaeger") return void response.writeHead(202, { "content-length": 0 }).end();
  const body = encoding === "otlp-json" ? "{}" : "";
  response.writeHead(200, { "content-type": contentType(encoding), "content-length": body.length }).end(body);
}

/** A `google.rpc.Status` in the request's own type. */
export function answerRefusal(response: ServerResponse, encoding: Encoding, refusal: Refusal): void {
  const { status, message } = refusal;
  const body = statusBody(encoding, rpcCodes.get(status) ?? invalidArgument, message);
  response.setHeader("content-type", contentType(encoding));
  response.setHeader("content-length", body.length);
  if (status === 503) response.setHeader("retry-after", retryAfterSeconds);
  if (status === 429) response.setHeader("retry-after", tooFastSeconds);
  // What is left of the body will not be read.
  if (!response.req.complete) response.setHeader("connection", "close");
  response.writeHead(status).end(body);
}

function contentType(encoding: Encoding): string {
  if (encoding === "jaeger") return "text/plain";
  return encoding === "otlp-json" ? "application/json" : "application/x-protobuf";
}

function statusBody(encoding: Encoding, code: number, message: string): Uint8Array {
  if (encoding === "jaeger") return Buffer.from(`${message}\n`);
  if (encoding === "otlp-json") return Buffer.from(JSON.stringify({ code, message }));
  const out = new ProtobufWriter();
  out.int32(1, code);
  out.string(2, message);
  return out.finish();
}
