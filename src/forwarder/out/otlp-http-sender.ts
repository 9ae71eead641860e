import { ExportTraceServiceResponse } from "../../gen/otlp.ts";
import { decodeMessage } from "../../wire/protobuf-decode.ts";
import type { Export } from "../export.ts";
import type { Post } from "./post.ts";
import type { Posted, Sender } from "./posted.ts";

/** OTLP over HTTP: exports end to end are one request, so nothing is decoded. */
export class OtlpHttpSender implements Sender {
  readonly #post: Post;

  constructor(post: Post) {
    this.#post = post;
  }

  async send(parts: readonly Export[], signal: AbortSignal): Promise<Posted> {
    const body = joined(parts);
    const posted = await this.#post({ method: "POST", type: "application/x-protobuf", body }, signal);
    if (posted.status !== "sent" || posted.answer === undefined || posted.answer.length === 0) return posted;
    return { status: "sent", rejected: rejectedIn(posted.answer) };
  }

  close(): void {
    this.#post.close();
  }
}

/**
 * The bodies end to end, in as few pieces as can be without copying: a queue keeps them one behind the other, and each
 * piece costs the HTTP client as much as a kilobyte of spans.
 */
function joined(parts: readonly Export[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let last: Uint8Array | undefined;
  for (const { body } of parts) {
    const isNext = last?.buffer === body.buffer && last.byteOffset + last.length === body.byteOffset;
    if (last !== undefined && isNext) {
      last = new Uint8Array(last.buffer, last.byteOffset, last.length + body.length);
      pieces[pieces.length - 1] = last;
    } else {
      last = body;
      pieces.push(body);
    }
  }
  return pieces;
}

/** Spans that a partial success names. An answer that does not decode is a success all the same. */
export function rejectedIn(answer: Uint8Array): number {
  try {
    const { partial_success } = decodeMessage(ExportTraceServiceResponse, answer);
    return Math.max(0, Number(partial_success?.rejected_spans ?? 0n));
  } catch {
    return 0;
  }
}
