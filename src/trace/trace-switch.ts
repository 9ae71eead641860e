import type { Call, Handler, Interceptor } from "../rpc/call.ts";
import type { BootSteps } from "./boot-steps.ts";
import { annotationsOfCreate } from "./create-annotations.ts";
import type { Relayed } from "./relayed.ts";
import type { Target } from "./target.ts";
import { annotatedTrace } from "./trace-annotations.ts";
import type { TraceSettings, TracingMode } from "./trace-settings.ts";
import type { RemoteParent } from "./traceparent.ts";
import { startTracing } from "./tracing.ts";
import type { DropReason, FlushReport, Tracing, TracingOptions } from "./tracing-options.ts";

/** What stays the same from one interval of tracing to the next. */
export type IntervalOptions = Omit<
  TracingOptions,
  "mode" | "connect" | "authority" | "settings" | "bootSteps" | "parent" | "rootName" | "serviceInstanceId"
>;

/** What the switch begins with. */
export type SwitchOptions = {
  settings: TraceSettings;
  /** Where spans go. */
  address: string;
  /** The receiver at an address. @throws INVALID_ARGUMENT when it is none. */
  target: (address: string) => Target;
  flushMs: number;
  interval: IntervalOptions;
};

/** How an interval begins: at boot, with all that has been done so far, or by somebody's call. */
export type Beginning =
  | { by: "boot"; type: TracingMode; steps: BootSteps; parent: RemoteParent | undefined }
  | { by: "call" | "annotation"; type: TracingMode };

/** What is going on, for whoever asks. */
export type SwitchState = {
  on: boolean;
  settings: TraceSettings;
  address: string;
  /** Of the running interval, else of the last one. */
  report: FlushReport;
  open: number;
  traceId: string;
};

const nothingYet: FlushReport = {
  sent: 0,
  dropped: 0,
  pending: 0,
  droppedBy: { "queue-full": 0, refused: 0, shutdown: 0 },
  complete: true,
};

/**
 * Tracing as something that can be turned on and off while the agent serves.
 *
 * Primer. An interval of tracing is one {@link Tracing}: it has a root of its own, and ends as one complete trace. While
 * there is none, nothing of the SDK has been loaded and a call pays a branch. Changes take their turns one after the other;
 * calls never wait for them.
 */
export class TraceSwitch {
  readonly #options: SwitchOptions;
  #settings: TraceSettings;
  #address: string;
  #tracing: Tracing | undefined;
  #begunBy: Beginning["by"] | undefined;
  #stopping = false;
  #sandboxId: string | undefined;
  /** The first container of the sandbox, whose annotations may ask for a trace, has not been seen. */
  #undecided = true;
  #last: FlushReport = nothingYet;
  #before: FlushReport = nothingYet;
  #lastTraceId = "";
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SwitchOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#address = options.address;
  }

  /** First in the chain of the dispatcher, whether tracing is on or not. */
  readonly interceptor: Interceptor = (next) => (call) =>
    this.#tracing === undefined || (this.#undecided && wantedBy(call) === "off")
      ? next(call)
      : this.#tracing.handle(next, call);

  /** Heeds the annotations of the first container. Last in the chain: a call that is denied must change nothing. */
  readonly annotations: Interceptor = (next) => (call) =>
    this.#undecided && call.method.name === "CreateContainer" ? this.#decide(next, call) : next(call);

  get on(): boolean {
    return this.#tracing !== undefined;
  }

  /** True from a {@link start} by a call until that interval is to be stopped. */
  get begunByCall(): boolean {
    return this.#begunBy === "call" && !this.#stopping;
  }

  /** True from a {@link stop} until it has been done. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Begins an interval; one that runs is ended first, as a whole. */
  start(beginning: Beginning): Promise<void> {
    this.#begunBy = beginning.by;
    return this.#next(async () => {
      await this.#end();
      try {
        await this.#begin(beginning);
      } catch (error) {
        this.#begunBy = undefined;
        throw error;
      }
    });
  }

  /** Ends the interval: its open spans, its root; answers when all is out, or the flush limit over. */
  stop(): Promise<void> {
    this.#stopping = true;
    return this.#next(async () => {
      await this.#end();
      this.#stopping = false;
      this.#begunBy = undefined;
    });
  }

  /** {@link stop} after this turn, so that the call which asks for it is in the trace. */
  stopSoon(): void {
    this.#stopping = true;
    setImmediate(() => void this.stop());
  }

  /** What of later calls is recorded. */
  configure(change: Partial<TraceSettings>): void {
    this.#settings = { ...this.#settings, ...change };
    this.#tracing?.configure(this.#settings);
  }

  /** Where spans go from now on. @throws INVALID_ARGUMENT when that is no address. */
  retarget(address: string): void {
    const target = this.#options.target(address);
    this.#address = address;
    this.#tracing?.retarget(target);
  }

  /** Sends what has ended; true when the receiver has all of it, or tracing is off. */
  async flush(timeoutMs = this.#options.flushMs): Promise<boolean> {
    return (await this.#tracing?.flush(timeoutMs)) ?? true;
  }

  /** Sends what has ended by the end of this turn, without anybody waiting for it. */
  flushSoon(): void {
    setImmediate(() => void this.flush());
  }

  /** Passes on what a workload has sent; false when tracing is off, or there is no room for it. */
  relay(relayed: Relayed): boolean {
    return this.#tracing?.relay(relayed) ?? false;
  }

  /** All spans of this and later intervals tell the sandbox. */
  setSandboxId(id: string): void {
    this.#sandboxId = id;
    this.#tracing?.setSandboxId(id);
  }

  /** What has become of the spans of all intervals so far; undefined when there was none. */
  report(): FlushReport | undefined {
    const now = this.#tracing?.report();
    if (now === undefined) return this.#lastTraceId === "" ? undefined : this.#before;
    return sum(this.#before, now);
  }

  state(): SwitchState {
    const report = this.#tracing?.report() ?? this.#last;
    return {
      on: this.on,
      settings: this.#settings,
      address: this.#address,
      report,
      open: this.#tracing?.openCount ?? 0,
      traceId: this.#tracing?.traceId ?? this.#lastTraceId,
    };
  }

  /** The end of the program: like {@link stop}. Never rejects. */
  shutdown(): Promise<void> {
    return this.stop();
  }

  async #decide(next: Handler, call: Call): Promise<object> {
    this.#undecided = false;
    const wanted = wantedBy(call);
    if (wanted === "off") {
      // Its spans may take their time to leave; the container need not wait for that.
      if (this.on) void this.stop();
      return next(call);
    }
    if (wanted === undefined || this.on) return next(call);
    await this.start({ by: "annotation", type: wanted });
    return this.interceptor(next)(call);
  }

  async #begin(beginning: Beginning): Promise<void> {
    const { interval, target } = this.#options;
    this.#settings = { ...this.#settings, type: beginning.type };
    const atBoot = beginning.by === "boot";
    const tracing = await startTracing({
      ...interval,
      ...target(this.#address),
      mode: beginning.type,
      settings: this.#settings,
      rootName: atBoot ? "sandbox" : "interval",
      ...(atBoot ? { bootSteps: beginning.steps } : {}),
      ...(atBoot && beginning.parent !== undefined ? { parent: beginning.parent } : {}),
    });
    if (this.#sandboxId !== undefined) tracing.setSandboxId(this.#sandboxId);
    this.#tracing = tracing;
    this.#begunBy = beginning.by;
  }

  async #end(): Promise<void> {
    const tracing = this.#tracing;
    if (tracing === undefined) return;
    this.#tracing = undefined;
    this.#lastTraceId = tracing.traceId;
    this.#last = await tracing.shutdown(this.#options.flushMs);
    this.#before = sum(this.#before, this.#last);
  }

  #next(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** What the annotations of a container ask for; undefined for every other call. */
function wantedBy(call: Call): TracingMode | "off" | undefined {
  const annotations = annotationsOfCreate(call);
  return annotations === undefined ? undefined : annotatedTrace(annotations);
}

function sum(a: FlushReport, b: FlushReport): FlushReport {
  const reasons = Object.keys(a.droppedBy) as DropReason[];
  const droppedBy = Object.fromEntries(
    reasons.map((reason) => [reason, a.droppedBy[reason] + b.droppedBy[reason]]),
  ) as Record<DropReason, number>;
  return {
    sent: a.sent + b.sent,
    dropped: a.dropped + b.dropped,
    pending: b.pending,
    droppedBy,
    complete: a.complete && b.complete,
  };
}
