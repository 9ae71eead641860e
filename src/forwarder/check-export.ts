import { ProtobufReader } from "../wire/protobuf-reader.ts";
import { WireError } from "../wire/wire-error.ts";

/** Field 1, length-delimited: `resource_spans`. */
const resourceSpansTag = 0x0a;

/**
 * Walks the top level of an ExportTraceServiceRequest without looking inside. What passes can be joined with others
 * into one request and cannot hide what comes behind it.
 * @throws WireError when it is not a row of whole `resource_spans`.
 */
export function checkTopLevel(body: Uint8Array): void {
  const reader = new ProtobufReader(body, 0, body.length);
  while (reader.at < reader.end) {
    if (reader.tag() !== resourceSpansTag) throw new WireError("not an ExportTraceServiceRequest");
    const length = reader.length();
    reader.at += length;
  }
}
