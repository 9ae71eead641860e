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
};

const mebibyte = 1024 * 1024;

/** The limits of docs/protocol.md. */
export const defaultLimits: Limits = {
  maxConnections: 4096,
  maxConnectionsPerGuest: 16,
  maxHeldBytes: 160 * mebibyte,
  maxHeldBytesPerGuest: 32 * mebibyte,
  guestBytesPerSecond: 32 * mebibyte,
};
