import { type AnyValue, ExportTraceServiceRequest, type KeyValue } from "../gen/otlp.ts";
import { decodeMessage } from "../wire/protobuf-decode.ts";
import { encodeMessage } from "../wire/protobuf-encode.ts";
import type { Export } from "./export.ts";

/**
 * Takes secrets out of what passes, by the operator's patterns: a second net under the agents' own care. Looked at are
 * the texts of all attributes (of resources, spans, events and links), the names of spans and events, and the messages
 * of statuses.
 *
 * Most requests hold no match, and telling that is much cheaper than decoding: the patterns are tried on the whole body
 * as text first. That is possible when a pattern's match depends on the matched characters alone, and those are ASCII.
 */

const replacement = "[scrubbed]";
const maxDepth = 16;
/** Anchors, word boundaries and groups that look around: their match depends on where the text begins. */
const dependsOnPlace = /[\^$]|\\[bBpPuxnrtsSDWk]|\(\?|[^\x20-\x7e]|\[\^/;

/** A set of patterns, applied to whole requests. */
export class Scrubber {
  readonly #patterns: readonly RegExp[];
  readonly #canLookFirst: boolean;

  /** Patterns with the flag `g`. */
  constructor(patterns: readonly RegExp[]) {
    this.#patterns = patterns;
    this.#canLookFirst = !patterns.some(({ source }) => dependsOnPlace.test(source));
  }

  /** @throws WireError when it has to be decoded and cannot. */
  scrub(exported: Export): Export {
    const { body } = exported;
    if (this.#canLookFirst && !this.#mayMatch(body)) return exported;
    const request = decodeMessage(ExportTraceServiceRequest, body, { stable: true });
    for (const { resource, scope_spans } of request.resource_spans) {
      this.#attributes(resource?.attributes, 0);
      for (const { scope, spans } of scope_spans) {
        this.#attributes(scope?.attributes, 0);
        for (const span of spans) {
          span.name = this.#text(span.name);
          this.#attributes(span.attributes, 0);
          for (const event of span.events) event.name = this.#text(event.name);
          for (const { attributes } of [...span.events, ...span.links]) this.#attributes(attributes, 0);
          if (span.status !== undefined) span.status.message = this.#text(span.status.message);
        }
      }
    }
    return { ...exported, body: encodeMessage(ExportTraceServiceRequest, request) };
  }

  #mayMatch(body: Uint8Array): boolean {
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1");
    return this.#patterns.some((pattern) => {
      pattern.lastIndex = 0;
      return pattern.test(text);
    });
  }

  #attributes(attributes: readonly KeyValue[] | undefined, depth: number): void {
    for (const { value } of attributes ?? []) this.#value(value, depth);
  }

  #value(value: AnyValue | undefined, depth: number): void {
    if (value === undefined) return;
    // What is nested deeper than anybody looks is not passed on at all.
    if (depth > maxDepth) value.array_value = value.kvlist_value = undefined;
    if (value.string_value !== undefined) value.string_value = this.#text(value.string_value);
    for (const item of value.array_value?.values ?? []) this.#value(item, depth + 1);
    this.#attributes(value.kvlist_value?.values, depth + 1);
  }

  #text(text: string): string {
    return this.#patterns.reduce((clean, pattern) => clean.replace(pattern, replacement), text);
  }
}
