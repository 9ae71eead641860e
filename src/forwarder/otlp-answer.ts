import type { ServerResponse } from "node:http";
import { ProtobufWriter } from "../wire/protobuf-writer.ts";
import type { Export } from "./output.ts";
import type { Refusal } from "./refusal.ts";

/** google.rpc codes for what an HTTP status says. */
const rpcCodes: ReadonlyMap<number, number> = new Map([
  [400, 3],
  [404, 5],
  [413, 8],
  [503, 14],
]);
const invalidArgument = 3;
/** How long a guest should wait when we are full: it has a queue of its own. */
const retryAfterSeconds = "1";

/** Full success, in the request's own type: an ExportTraceServiceResponse without anything in it. */
export function answerSuccess(response: ServerResponse, kind: Export["kind"]): void {
  const body = kind === "json" ? "{}" : "";
  response.writeHead(200, { "content-type": contentType(kind), "content-length": body.length }).end(body);
}

/** A `google.rpc.Status` in the request's own type. */
export function answerRefusal(response: ServerResponse, kind: Export["kind"], refusal: Refusal): void {
  const { status, message } = refusal;
  const body = statusBody(kind, rpcCodes.get(status) ?? invalidArgument, message);
  response.setHeader("content-type", contentType(kind));
  response.setHeader("content-length", body.length);
  if (status === 503) response.setHeader("retry-after", retryAfterSeconds);
  // What is left of the body will not be read.
  if (!response.req.complete) response.setHeader("connection", "close");
  response.writeHead(status).end(body);
}

function contentType(kind: Export["kind"]): string {
  return kind === "json" ? "application/json" : "application/x-protobuf";
}

function statusBody(kind: Export["kind"], code: number, message: string): Uint8Array {
  if (kind === "json") return Buffer.from(JSON.stringify({ code, message }));
  const out = new ProtobufWriter();
  out.int32(1, code);
  out.string(2, message);
  return out.finish();
}
