import { createTraceState, type SpanContext } from "@opentelemetry/api";
import type { Metadata } from "../rpc/call.ts";
import type { Annotations } from "./call-facts.ts";
import { parseTraceparent, type RemoteParent, remoteParent } from "./traceparent.ts";

/** Where a call comes from: whose child it may be, and what else it belongs to. */
export type Origin = { readonly caller: SpanContext | undefined; readonly links: readonly SpanContext[] };

const nowhere: Origin = { caller: undefined, links: [] };
/** What the annotation of the container itself is called, whoever writes it. */
const callerKey = "traceparent";
const maxLinks = 8;
const maxCarrierLength = 4096;

/**
 * The caller's span from the call's metadata, else, for a CreateContainer of a runtime that sends none, from the
 * container's annotation `traceparent`. `linkKeys` name annotations whose spans become links: a traceparent, or a JSON
 * carrier with one, as Tekton writes it. Nothing malformed is repaired or told of.
 */
export function originOf(
  metadata: Metadata,
  annotations: Annotations | undefined,
  linkKeys: readonly string[],
): Origin {
  const told = metadata.length === 0 ? undefined : remoteParent(metadata);
  if (annotations === undefined)
    return told === undefined ? nowhere : { caller: spanContext(told), links: [] };
  const caller = told ?? parentIn(annotations(callerKey));
  const links = linkKeys.map((key) => parentIn(annotations(key))).filter((found) => found !== undefined);
  return {
    caller: caller === undefined ? undefined : spanContext(caller),
    links: links.slice(0, maxLinks).map(spanContext),
  };
}

function parentIn(text: string | undefined): RemoteParent | undefined {
  if (text === undefined || text.length > maxCarrierLength) return undefined;
  return text.startsWith("{") ? parentInCarrier(text) : parseTraceparent(text);
}

function parentInCarrier(text: string): RemoteParent | undefined {
  try {
    const carrier: unknown = JSON.parse(text);
    if (typeof carrier !== "object" || carrier === null || !("traceparent" in carrier)) return undefined;
    return typeof carrier.traceparent === "string" ? parseTraceparent(carrier.traceparent) : undefined;
  } catch {
    return undefined;
  }
}

function spanContext({ traceId, spanId, traceFlags, traceState }: RemoteParent): SpanContext {
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  if (traceState !== undefined) context.traceState = createTraceState(traceState);
  return context;
}
