import type { Export } from "../export.ts";
import {
  bigintsAsText,
  hexOf,
  isId,
  type PlacedSpan,
  plainValue,
  spansWithIds,
  textOfValue,
} from "./placed-span.ts";
import type { Post } from "./post.ts";
import type { Posted, Sender } from "./posted.ts";

/**
 * Zipkin's v2 JSON (wire-and-tracing 7.4). Zipkin refuses a whole batch for one wrong span, so a span without proper ids
 * is left out here and counted as rejected.
 */

const kinds: readonly (string | undefined)[] = [
  undefined,
  undefined,
  "SERVER",
  "CLIENT",
  "PRODUCER",
  "CONSUMER",
];
const statusWords: readonly (string | undefined)[] = [undefined, "OK", "ERROR"];
const nanosPerMicro = 1000n;

/** Sends to one Zipkin server. */
export class ZipkinSender implements Sender {
  readonly #post: Post;

  constructor(post: Post) {
    this.#post = post;
  }

  async send(parts: readonly Export[], signal: AbortSignal): Promise<Posted> {
    const { spans, rejected } = spansWithIds(parts);
    if (spans.length === 0) return { status: "sent", rejected };
    const body = [Buffer.from(zipkinJson(spans))];
    const posted = await this.#post({ method: "POST", type: "application/json", body }, signal);
    return posted.status === "sent" ? { status: "sent", rejected } : posted;
  }

  close(): void {
    this.#post.close();
  }
}

/** A list of spans as Zipkin takes it. Precondition: they have ids. */
function zipkinJson(spans: readonly PlacedSpan[]): string {
  return JSON.stringify(spans.map(zipkinSpan), bigintsAsText);
}

function zipkinSpan({ service, scopeName, scopeVersion, span, resource }: PlacedSpan): object {
  const startMicros = span.start_time_unix_nano / nanosPerMicro;
  const micros = (span.end_time_unix_nano - span.start_time_unix_nano) / nanosPerMicro;
  const tags: Record<string, string> = {};
  for (const { key, value } of resource) if (key !== "service.name") tags[key] = textOfValue(value);
  for (const { key, value } of span.attributes) tags[key] = textOfValue(value);
  const status = statusWords[span.status?.code ?? 0];
  if (status !== undefined) tags["otel.status_code"] = status;
  if (status === "ERROR") tags["error"] = span.status?.message || "true";
  if (scopeName !== "") tags["otel.scope.name"] = scopeName;
  if (scopeVersion !== "") tags["otel.scope.version"] = scopeVersion;
  if (span.dropped_attributes_count > 0)
    tags["otel.dropped_attributes_count"] = String(span.dropped_attributes_count);
  return {
    traceId: hexOf(span.trace_id),
    id: hexOf(span.span_id),
    parentId: isId(span.parent_span_id, 8) ? hexOf(span.parent_span_id) : undefined,
    name: span.name,
    kind: kinds[span.kind],
    timestamp: Number(startMicros),
    // Zipkin has no spans without a duration.
    duration: Number(micros > 0n ? micros : 1n),
    localEndpoint: { serviceName: service },
    tags,
    annotations: span.events.map((event) => ({
      timestamp: Number(event.time_unix_nano / nanosPerMicro),
      value: annotation(event.name, event.attributes),
    })),
  };
}

/** An event's name, and its attributes behind it where there are any. */
function annotation(name: string, attributes: PlacedSpan["span"]["attributes"]): string {
  if (attributes.length === 0) return name;
  const values = Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
  return `${JSON.stringify(name)}: ${JSON.stringify(values, bigintsAsText)}`;
}
