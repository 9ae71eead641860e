/**
 * The caller's trace context, as it stands in the metadata of a call (W3C Trace Context; wire-and-tracing 4.1).
 *
 *     traceparent: 00-<32 hex trace id>-<16 hex span id>-<2 hex flags>
 *
 * Nothing malformed is repaired: an invalid context is no context.
 */

/** A caller's span, as far as it told us. `traceFlags` holds known bits only: 1 sampled, 2 random trace id. */
export type RemoteParent = { traceId: string; spanId: string; traceFlags: number; traceState?: string };

const knownFlags = 0x03;
const sizeOfVersion0 = 55;
/** More is cut off by nobody but refused as a whole: the W3C asks for 512 to be carried. */
const maxTraceStateLength = 512;
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const noTrace = "0".repeat(32);
const noSpan = "0".repeat(16);

/**
 * Reads one `traceparent` value; undefined when it is not valid. Versions above 00 may have further parts, ff is
 * forbidden, hex is lower case, ids are whole and not all zero, unknown flags are masked.
 */
export function parseTraceparent(value: string): RemoteParent | undefined {
  const parts = form.exec(value);
  if (parts === null) return undefined;
  const [, version, traceId, spanId, flags] = parts as unknown as [string, string, string, string, string];
  if (version === "ff" || (version === "00" && value.length !== sizeOfVersion0)) return undefined;
  if (traceId === noTrace || spanId === noSpan) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & knownFlags };
}

/**
 * Finds the caller's context in metadata (keys in lower case). A `traceparent` that came twice is invalid;
 * several `tracestate` values are one list, and mean nothing without a valid `traceparent`.
 */
export function remoteParent(
  metadata: readonly (readonly [key: string, value: string])[],
): RemoteParent | undefined {
  let found: string | undefined;
  let state = "";
  for (const [key, value] of metadata) {
    if (key === "traceparent") {
      if (found !== undefined) return undefined;
      found = value;
    } else if (key === "tracestate" && value !== "") state = state === "" ? value : `${state},${value}`;
  }
  const parent = found === undefined ? undefined : parseTraceparent(found);
  if (parent !== undefined && state !== "" && state.length <= maxTraceStateLength) parent.traceState = state;
  return parent;
}
