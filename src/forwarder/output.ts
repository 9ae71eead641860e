/** One export request of one guest, checked as far as {@link Export.kind} says, on its way to the outputs. */
export type Export = {
  /** `protobuf`: a row of well-formed top-level fields; `json`: an object with `resourceSpans`. */
  readonly kind: "protobuf" | "json";
  /** The request as it came, without content encoding. Nobody changes it. */
  readonly body: Uint8Array;
  /** The request as one line of OTLP JSON, made on first use. @throws WireError when it does not decode. */
  line(): string;
};

/** Where exports go. */
export type Output = {
  readonly name: string;
  /** Whether {@link Output.take} would find room now. */
  hasRoom(bytes: number): boolean;
  /** Resolves when the output answers for the export: it is written, or stands in a queue. */
  take(exported: Export): Promise<void>;
  /** Delivers what waits, but not longer than `limitMs`, and gives up the rest. Safe to repeat. */
  close(limitMs: number): Promise<void>;
};
