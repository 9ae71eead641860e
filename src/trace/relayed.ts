/** An OTLP request of somebody else's spans, as it came: the bytes are passed on untouched. */
export type Relayed = {
  readonly contentType: string;
  readonly contentEncoding: string | undefined;
  readonly bytes: Uint8Array;
  /** Told once, whether the receiver has taken it. */
  readonly ended: (taken: boolean) => void;
};
