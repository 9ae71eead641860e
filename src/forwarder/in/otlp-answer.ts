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

/** An answer, however it is written. `headers` are names and values; the body's length is not among them. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

const nothing = Buffer.alloc(0);
const successes: Readonly<Partial<Record<Encoding, Answer>>> = {
  // What Jaeger's collector answers.
  jaeger: { status: 202, headers: {}, body: nothing },
  "otlp-json": { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from("{}") },
};
const plainSuccess: Answer = {
  status: 200,
  headers: { "content-type": "application/x-protobuf" },
  body: nothing,
};

/** Full success, in the request's own type: an answer without anything in it. */
export function successAnswer(encoding: Encoding): Answer {
  return successes[encoding] ?? plainSuccess;
}

/** A `google.rpc.Status` in the request's own type. */
export function refusalAnswer(encoding: Encoding, { status, message }: Refusal): Answer {
  const headers: Record<string, string> = { "content-type": contentType(encoding) };
  if (status === 503) headers["retry-after"] = retryAfterSeconds;
  if (status === 429) headers["retry-after"] = tooFastSeconds;
  return { status, headers, body: statusBody(encoding, rpcCodes.get(status) ?? invalidArgument, message) };
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
