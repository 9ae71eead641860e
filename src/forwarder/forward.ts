import { isDeepStrictEqual } from "node:util";
import type { Log } from "../base/log.ts";
import { type Admin, serveAdmin } from "./admin.ts";
import { Backends } from "./backends.ts";
import type { Config } from "./config.ts";
import type { GuestLogConfig } from "./guest-log-config.ts";
import { GuestLogs } from "./guest-logs.ts";
import { Announcements } from "./in/announcements.ts";
import type { Accept } from "./in/listeners.ts";
import { Receiver } from "./in/receiver.ts";
import { Listening } from "./listening.ts";
import { Metrics } from "./metrics.ts";
import { FanOut } from "./out/fan-out.ts";
import type { AppendText } from "./out/lines-output.ts";
import { Pipeline } from "./pipeline.ts";
import { servePage } from "./ui/page-server.ts";
import { RecentTraces } from "./ui/recent-traces.ts";
import { showIn } from "./ui/show-taken.ts";
import type { VsockReach } from "./vsock-logs.ts";

/**
 * The forwarder as a whole:
 *
 *     listeners ─ receiver ─ pipeline ─ fan-out ─ outputs
 *                    └─ announcements ─┘
 */
export class Forwarder {
  readonly metrics = new Metrics();
  readonly #log: Log;
  readonly #fanOut: FanOut;
  readonly #pipeline: Pipeline;
  readonly #backends: Backends;
  readonly #announcements: Announcements;
  readonly #receiver: Receiver;
  readonly #listening: Listening;
  readonly #undo: (() => Promise<void>)[] = [];
  #guestLogs: GuestLogs | undefined;
  #guestLogConfig: GuestLogConfig | undefined;
  #scrub: readonly RegExp[] = [];
  #drainMs: number;

  /** `vsockReach` is for tests: how guests with AF_VSOCK are reached. */
  constructor(config: Config, print: AppendText, log: Log, vsockReach?: VsockReach) {
    this.#log = log;
    this.#drainMs = config.drainMs;
    this.#fanOut = new FanOut(this.metrics, log);
    this.#pipeline = new Pipeline(this.#fanOut.deliver, this.metrics);
    this.#backends = new Backends(this.#fanOut, print, this.metrics, log);
    const { deliver } = this.#pipeline;
    this.#announcements = new Announcements(deliver, this.metrics, log);
    this.#receiver = new Receiver(deliver, this.#announcements, config.limits, this.metrics, log);
    const accept: Accept = (accepted, origin) => this.#receiver.accept(accepted, origin);
    this.#listening = new Listening(accept, log, vsockReach);
    this.#observe();
  }

  get isReady(): boolean {
    const { outputs } = this.#fanOut;
    return outputs.length > 0 && outputs.some((output) => output.hasRoom(0, "readiness"));
  }

  /**
   * Opens the outputs, then the listeners. `reload` is what the admin address calls.
   * @throws the system error when something cannot be opened; nothing stays open then.
   */
  async open(config: Config, reload: () => Promise<void>): Promise<void> {
    try {
      this.#undo.push(() => this.#backends.close(this.#drainMs));
      await this.#backends.exchange(config.backends, 0);
      this.#pipeline.configure(config.scrub, config.sampling);
      await this.#openPage(config);
      const admin = await this.#openAdmin(config, reload);
      if (admin !== undefined) this.#undo.push(() => admin.close());
      this.#undo.push(
        async () => this.#pipeline.close(),
        () => this.#announcements.close(),
        () => this.#receiver.close(this.#drainMs),
        () => this.#listening.close(),
      );
      await this.#listening.exchange(config, this.#logsOf(config));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Takes over what has changed: listeners, backends, sampling, patterns. Limits, the page and the admin address stay as
   * they were. @throws the system error when something cannot be opened; the rest is as before.
   */
  async reconfigure(config: Config): Promise<void> {
    this.#drainMs = config.drainMs;
    this.#pipeline.configure(config.scrub, config.sampling);
    await this.#backends.exchange(config.backends, config.drainMs);
    await this.#listening.exchange(config, this.#logsOf(config));
    this.#log.info({ backends: config.backends.map(({ name }) => name) }, "configuration is in force");
  }

  /** Stops accepting, lets what has arrived go out, and closes everything, within `drainMs`. Safe to repeat. */
  async close(): Promise<void> {
    for (const step of this.#undo.splice(0).reverse()) await step();
  }

  /** The same ones as long as nothing is to be different. */
  #logsOf({ guestLogs: wanted, scrub }: Config): GuestLogs | undefined {
    this.#scrub = scrub;
    if (isDeepStrictEqual(wanted, this.#guestLogConfig)) return this.#guestLogs;
    this.#guestLogConfig = wanted;
    this.#guestLogs = wanted && new GuestLogs(wanted, () => this.#scrub, this.metrics, this.#log);
    return this.#guestLogs;
  }

  async #openPage({ ui }: Config): Promise<void> {
    if (ui === undefined) return;
    const traces = new RecentTraces();
    const server = await servePage(ui, traces, this.#log);
    this.#undo.push(() => server.close());
    this.#log.info({ url: server.url }, "page is served");
    this.#pipeline.onTaken = showIn(traces);
  }

  async #openAdmin({ admin }: Config, reload: () => Promise<void>): Promise<Admin | undefined> {
    if (admin === undefined) return undefined;
    const source = { metrics: () => this.metrics.text(), isReady: () => this.isReady, reload };
    return serveAdmin(admin, source, this.#log);
  }

  #observe(): void {
    const { guests } = this.#receiver;
    const waiting = (key: "spans" | "bytes" | "oldestSeconds") => () =>
      this.#fanOut.outputs.map((output) => [output.name, output.waiting()[key]] as const);
    const gauges = [
      ["guests_connected", "Guests that are connected", () => guests.count],
      ["connections", "Connections of guests and others", () => guests.connections],
      ["held_bytes", "Bodies and unfinished frames in memory", () => guests.heldBytes],
      ["open_spans", "Announced spans of guests", () => this.#announcements.openSpans],
      ["undecided_bytes", "Spans that wait for a sampling decision", () => this.#pipeline.heldBytes],
      ["guest_logs", "Guests whose log is read or waited for", () => this.#guestLogs?.count ?? 0],
      ["queue_spans", "Spans that wait for a backend", waiting("spans")],
      ["queue_bytes", "Bytes that wait for a backend", waiting("bytes")],
      ["queue_age_seconds", "Age of the oldest that waits for a backend", waiting("oldestSeconds")],
    ] as const;
    for (const [name, help, read] of gauges) this.metrics.observe({ name, help, read });
  }
}
