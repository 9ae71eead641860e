import { type AnyValue, ExportTraceServiceRequest, type KeyValue } from "../gen/otlp.ts";
import { decodeMessage } from "../wire/protobuf-decode.ts";
import { encodeMessage } from "../wire/protobuf-encode.ts";
import type { Export, Spent } from "./export.ts";
import { isAnyIn, scrubTexts } from "./scrub-texts.ts";

/**
 * Takes secrets out of what passes, by the operator's patterns: a second net under the agents' own care. Looked at are
 * the texts of all attributes (of resources, spans, events and links), the names of spans and events, and the messages
 * of statuses.
 *
 * Most requests hold no match, and telling that is much cheaper than decoding: the patterns are tried on the whole body
 * as text first. That is possible when a pattern's match depends on the matched characters alone, and those are ASCII.
 */

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

  /** @throws WireError when it has to be decoded and cannot; TookTooLong when a pattern does not come to an end. */
  scrub(exported: Export, spent?: Spent): Export {
    const { body } = exported;
    if (this.#canLookFirst && !isAnyIn(latin1(body), this.#patterns, spent)) return exported;
    const request = decodeMessage(ExportTraceServiceRequest, body, { stable: true });
    const texts: string[] = [];
    eachText(request, (text) => {
      texts.push(text);
      return text;
    });
    const clean = scrubTexts(texts, this.#patterns, spent).values();
    eachText(request, (text) => clean.next().value ?? text);
    return { ...exported, body: encodeMessage(ExportTraceServiceRequest, request) };
  }
}

const latin1 = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString("latin1");

type Change = (text: string) => string;

/** Puts what `change` makes of it in the place of every text. Always in the same order. */
function eachText(request: ExportTraceServiceRequest, change: Change): void {
  for (const { resource, scope_spans } of request.resource_spans) {
    eachOf(resource?.attributes, change, 0);
    for (const { scope, spans } of scope_spans) {
      eachOf(scope?.attributes, change, 0);
      for (const span of spans) {
        span.name = change(span.name);
        eachOf(span.attributes, change, 0);
        for (const event of span.events) event.name = change(event.name);
        for (const { attributes } of [...span.events, ...span.links]) eachOf(attributes, change, 0);
        if (span.status !== undefined) span.status.message = change(span.status.message);
      }
    }
  }
}

function eachOf(attributes: readonly KeyValue[] | undefined, change: Change, depth: number): void {
  for (const { value } of attributes ?? []) eachIn(value, change, depth);
}

function eachIn(value: AnyValue | undefined, change: Change, depth: number): void {
  if (value === undefined) return;
  // What is nested deeper than anybody looks is not passed on at all.
  if (depth > maxDepth) value.array_value = value.kvlist_value = undefined;
  if (value.string_value !== undefined) value.string_value = change(value.string_value);
  for (const item of value.array_value?.values ?? []) eachIn(item, change, depth + 1);
  eachOf(value.kvlist_value?.values, change, depth + 1);
}
