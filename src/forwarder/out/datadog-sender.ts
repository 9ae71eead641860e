import { version } from "../../base/version.ts";
import type { Export } from "../export.ts";
import { datadogPayload } from "./datadog-payload.ts";
import { spansWithIds } from "./placed-span.ts";
import type { Post } from "./post.ts";
import type { Posted, Sender } from "./posted.ts";

/** Datadog's agent on its traces port, `PUT /v0.4/traces`: the door that is always there. */
export class DatadogSender implements Sender {
  readonly #post: Post;

  constructor(post: Post) {
    this.#post = post;
  }

  async send(parts: readonly Export[], signal: AbortSignal): Promise<Posted> {
    const { spans, rejected } = spansWithIds(parts);
    if (spans.length === 0) return { status: "sent", rejected };
    const { body, traces } = datadogPayload(spans);
    const headers = {
      "x-datadog-trace-count": String(traces),
      "datadog-meta-lang": "nodejs",
      "datadog-meta-tracer-version": version,
      // Else it answers 200 also when it is too busy to take them.
      "datadog-send-real-http-status": "true",
    };
    const message = { method: "PUT", type: "application/msgpack", body: [body], headers } as const;
    const posted = await this.#post(message, signal);
    return posted.status === "sent" ? { status: "sent", rejected } : posted;
  }

  close(): void {
    this.#post.close();
  }
}
