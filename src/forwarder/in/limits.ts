/** What senders may take. Bytes are of bodies without content encoding. */
export type Limits = {
  /** Connections of all senders together. */
  readonly maxConnections: number;
  /** Connections of one guest. */
  readonly maxConnectionsPerGuest: number;
  /** Bodies and unfinished frames in memory, of all senders together. */
  readonly maxHeldBytes: number;
  /** The same of one guest. */
  readonly maxHeldBytesPerGuest: number;
  /** What a guest may send in the long run; twice as much at once. */
  readonly guestBytesPerSecond: number;
  /** One request, packed and unpacked. */
  readonly maxBodyBytes: number;
  /** One message over gRPC. */
  readonly maxGrpcMessageBytes: number;
  /** One frame of upstream's agents, which is one span. */
  readonly maxFrameBytes: number;
  readonly maxSpansPerRequest: number;
  /** Attributes, events, links and all else that a span has. */
  readonly maxFieldsPerSpan: number;
};

const mebibyte = 1024 * 1024;

/** The limits of docs/protocol.md. */
export const defaultLimits: Limits = {
  maxConnections: 4096,
  maxConnectionsPerGuest: 16,
  maxHeldBytes: 160 * mebibyte,
  maxHeldBytesPerGuest: 32 * mebibyte,
  guestBytesPerSecond: 32 * mebibyte,
  // What OTLP servers should take (wire-and-tracing 7.3).
  maxBodyBytes: 64 * mebibyte,
  // While a message is handed on it counts twice: as it came, and whole.
  maxGrpcMessageBytes: 16 * mebibyte,
  // The largest single span that is sane: whole requests are in there (wire-and-tracing 3.3).
  maxFrameBytes: 64 * mebibyte,
  maxSpansPerRequest: 262_144,
  // More than any sane span has; the conventions' default limit is 128 each of attributes, events and links.
  maxFieldsPerSpan: 4096,
};
