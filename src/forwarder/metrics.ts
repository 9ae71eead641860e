import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What spans came as. */
export type Encoding =
  | "otlp-http"
  | "otlp-json"
  | "otlp-grpc"
  | "upstream-json"
  | "upstream-bincode"
  | "jaeger";

/** A value that is asked for when somebody looks. */
export type Observed = {
  name: string;
  help: string;
  read(): number | Iterable<readonly [label: string, value: number]>;
};

/** Everything that the forwarder counts, in Prometheus' terms. One per program. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #received = this.#tally("spans_received_total", "Spans that were taken");
  readonly #bytes = this.#tally("received_bytes_total", "Bytes of bodies that were taken");
  readonly #refused = this.#counter("requests_refused_total", "Requests and frames that were refused", [
    "encoding",
    "status",
  ]);
  readonly #refusedSpans = this.#counter(
    "spans_refused_total",
    "Spans in what was refused, as far as known",
    ["status"],
  );
  readonly #repeats = this.#counter("repeats_dropped_total", "Requests that had been taken before", []);
  readonly #sent = this.#counter("spans_sent_total", "Spans that a backend has taken", ["backend"]);
  readonly #dropped = this.#counter("spans_dropped_total", "Spans that were given up", ["backend", "reason"]);
  readonly #decided = this.#counter("sampling_decisions_total", "Groups of spans, by decision", ["decision"]);
  readonly #closedOpen = this.#counter(
    "open_spans_closed_total",
    "Announced spans closed for lost guests",
    [],
  );
  readonly #connections = this.#counter(
    "connections_refused_total",
    "Connections that were closed at once",
    [],
  );
  readonly #latency = new Histogram({
    name: "kata_forwarder_backend_seconds",
    help: "Time until a backend answered",
    labelNames: ["backend"],
    registers: [this.#registry],
  });

  readonly #guestLogLines = this.#counter("guest_log_lines_total", "Lines of guests' logs", ["result"]);

  received(encoding: Encoding, spans: number, bytes: number): void {
    this.#received.set(encoding, (this.#received.get(encoding) ?? 0) + spans);
    this.#bytes.set(encoding, (this.#bytes.get(encoding) ?? 0) + bytes);
  }

  refused(encoding: Encoding, status: number, spans: number): void {
    this.#refused.inc({ encoding, status: String(status) });
    if (spans > 0) this.#refusedSpans.inc({ status: String(status) }, spans);
  }

  repeated(): void {
    this.#repeats.inc();
  }

  connectionRefused(): void {
    this.#connections.inc();
  }

  sent(backend: string, spans: number): void {
    this.#sent.inc({ backend }, spans);
  }

  answered(backend: string, seconds: number): void {
    this.#latency.observe({ backend }, seconds);
  }

  /** `reason`: `queue-full`, `refused`, `shutdown`, `sampled`, `corrupt`. */
  dropped(backend: string, reason: string, spans: number): void {
    this.#dropped.inc({ backend, reason }, spans);
  }

  decided(decision: string): void {
    this.#decided.inc({ decision });
  }

  closedOpenSpans(count: number): void {
    this.#closedOpen.inc(count);
  }

  /** `result`: `kept`, or `lost` when the disk did not take them. */
  guestLogLines(result: "kept" | "lost", lines: number): void {
    this.#guestLogLines.inc({ result }, lines);
  }

  /** Adds gauges that are read when somebody looks; several values take a label `backend`. */
  observe({ name, help, read }: Observed): void {
    new Gauge({
      name: `kata_forwarder_${name}`,
      help,
      labelNames: ["backend"],
      registers: [this.#registry],
      collect() {
        this.reset();
        const value = read();
        if (typeof value === "number") this.set(value);
        else for (const [backend, each] of value) this.set({ backend }, each);
      },
    });
  }

  /** The page for Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /**
   * Numbers by encoding that are shown as a counter when somebody looks: the library takes longer over the labels of one
   * that counts each request than we over the request's head.
   */
  #tally(name: string, help: string): Map<Encoding, number> {
    const numbers = new Map<Encoding, number>();
    new Counter({
      name: `kata_forwarder_${name}`,
      help,
      labelNames: ["encoding"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [encoding, number] of numbers) this.inc({ encoding }, number);
      },
    });
    return numbers;
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `kata_forwarder_${name}`, help, labelNames, registers: [this.#registry] });
  }
}
