/** Spans of one sender on their way to the outputs: one OTLP ExportTraceServiceRequest, whatever it came as. */
export type Export = {
  /**
   * Protobuf; its rows of resources, scopes and spans are whole. Nobody changes it before {@link Deliver} has resolved;
   * whoever keeps it longer keeps a copy.
   */
  readonly body: Uint8Array;
  /** How many spans it holds. */
  readonly spans: number;
  /** Whose it is: outputs share their room fairly among origins. */
  readonly origin: string;
  /** Which request of which agent it came as, where the sender tells (docs/protocol.md). */
  readonly batch?: Batch | undefined;
};

/** Request `sequence` of the run of an agent that calls itself `instance`. */
export type Batch = { readonly instance: string; readonly sequence: number };

/**
 * Hands an export on. Resolves when somebody answers for it.
 * @throws Refusal 503 when nobody has room; WireError when an output that has to read it cannot.
 */
export type Deliver = (exported: Export, spent?: Spent) => Promise<void>;

/** Told how long looking for secrets took, in ms: nothing else is done meanwhile, and the texts may be made for that. */
export type Spent = (ms: number) => void;
