import type { ByteStream } from "../base/byte-stream.ts";
import type { Log } from "../base/log.ts";
import type { Interceptor } from "../rpc/call.ts";
import type { LiveSpan } from "./backend.ts";
import type { BootSteps } from "./boot-steps.ts";
import type { RemoteParent } from "./traceparent.ts";

/** Where a call's span hangs: below the sandbox's root with a link to the caller, or below the caller itself. */
export type TracingMode = "isolated" | "collated";

/** What `startTracing` has to be told. */
export type TracingOptions = {
  mode: TracingMode;
  /** Opens a stream to the receiver of the spans, or rejects within `timeoutMs`. */
  connect: (timeoutMs: number) => Promise<ByteStream>;
  /** Value of the `Host` header, such as `localhost` or `collector:4318`. */
  authority: string;
  /** Version of the program, for the resource of all spans. */
  serviceVersion: string;
  /** Unique per life of the program; random when left out. */
  serviceInstanceId?: string;
  /** Name of the root span; default `sandbox`. */
  rootName?: string;
  /** Whoever started this program traces too: the root span becomes a child of theirs, in their trace. */
  parent?: RemoteParent;
  /** Further resource attributes, such as `host.name`, `os.type`. Never anything from a request. */
  resource?: Readonly<Record<string, string | number | boolean>>;
  log: Log;
  /** Steps of the boot so far; they become children of the root span. */
  bootSteps?: BootSteps;
  /** Finished spans that may wait in the SDK for encoding; default 2048. */
  maxQueuedSpans?: number;
  /** Spans that may be without an acknowledgement, in all; default 32,768. */
  maxPendingSpans?: number;
  /** Encoded spans that may wait for the receiver, in bytes; default 8 MiB, some 30,000 spans. */
  maxQueuedBytes?: number;
};

/** How the last flush went. `complete` = every span that was recorded has been acknowledged by the receiver. */
export type FlushReport = {
  sent: number;
  /** Spans that have ended and are neither acknowledged nor lost. */
  pending: number;
  dropped: number;
  /** Lost spans by cause. `queue-full`: no room; `refused`: the receiver will not have them; `shutdown`: out of time. */
  droppedBy: Readonly<Record<DropReason, number>>;
  complete: boolean;
};

/** Why a span was lost. */
export type DropReason = "queue-full" | "refused" | "shutdown";

/** Tracing while it is on. */
export type Tracing = AsyncDisposable & {
  /** Makes one SERVER span per call. First in the chain of the dispatcher. */
  readonly interceptor: Interceptor;
  /** The root span of the sandbox's life, for attributes and events. Only `shutdown` ends it. */
  readonly root: LiveSpan;
  /** Tells the sandbox id as soon as it is known: all later spans and the root carry it. */
  setSandboxId(id: string): void;
  /** Counts so far. */
  report(): FlushReport;
  /** Sends what has ended, within `timeoutMs`. True when the receiver has acknowledged all of it. */
  flush(timeoutMs: number): Promise<boolean>;
  /**
   * Ends all open spans and the root, flushes within `timeoutMs` (default 1000) and stops; later spans cost nothing
   * and go nowhere. Never rejects; a second call joins the first.
   */
  shutdown(timeoutMs?: number): Promise<FlushReport>;
};
