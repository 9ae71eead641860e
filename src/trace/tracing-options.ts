import type { Log } from "../base/log.ts";
import type { Call, Handler, Interceptor } from "../rpc/call.ts";
import type { LiveSpan } from "./backend.ts";
import type { BootSteps } from "./boot-steps.ts";
import type { Relayed } from "./relayed.ts";
import type { Target } from "./target.ts";
import type { TraceSettings, TracingMode } from "./trace-settings.ts";
import type { RemoteParent } from "./traceparent.ts";

/** What `startTracing` has to be told. */
export type TracingOptions = Target & {
  mode: TracingMode;
  /** What of the calls is recorded; default: everything. */
  settings?: TraceSettings;
  /** The annotations of a container that exists. */
  annotationsOf?: (containerId: string) => Readonly<Record<string, string>> | undefined;
  /** Annotations of a CreateContainer that name spans to link to. */
  linkKeys?: readonly string[];
  /** What one span may hold, where it differs from ours. */
  spanLimits?: Partial<SpanLimits>;
  /** When a batch leaves, where it differs from ours. */
  batch?: Partial<BatchLimits>;
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

/** The limits of a span, by the names of the SDK. */
export type SpanLimits = Readonly<
  Record<
    | "attributeCountLimit"
    | "attributeValueLengthLimit"
    | "eventCountLimit"
    | "linkCountLimit"
    | "attributePerEventCountLimit"
    | "attributePerLinkCountLimit",
    number
  >
>;

/** A batch leaves when it has `spans`, or `delayMs` after the first of them. */
export type BatchLimits = Readonly<{ spans: number; delayMs: number }>;

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
  /** The same for one call. */
  handle(next: Handler, call: Call): Promise<object>;
  /** What of later calls is recorded. */
  configure(settings: TraceSettings): void;
  /** Where spans go from now on, those included that wait or are not acknowledged. */
  retarget(target: Target): void;
  /** Spans that are open now. */
  readonly openCount: number;
  /** Trace id of the root. */
  readonly traceId: string;
  /** The root span of the sandbox's life, for attributes and events. Only `shutdown` ends it. */
  readonly root: LiveSpan;
  /** Tells the sandbox id as soon as it is known: all later spans and the root carry it. */
  setSandboxId(id: string): void;
  /** Passes on what a workload has sent; false when there is no room for it. */
  relay(relayed: Relayed): boolean;
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
