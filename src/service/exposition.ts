import type { Metric } from "../base/metric.ts";

/**
 * Metrics in the text form of Prometheus, 0.0.4 (agent-api 3.32). Every text is made from nothing, so that no value of
 * an earlier one is left in it. The library is loaded at the first call: most guests are never asked.
 */
export async function exposition(metrics: readonly Metric[]): Promise<string> {
  const { Counter, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  for (const { name, help, kind, samples } of metrics) {
    const labelNames = [...new Set(samples.flatMap(([labels]) => Object.keys(labels)))];
    const shape = { name, help, labelNames, registers: [registry] };
    const write = kind === "counter" ? counter(new Counter(shape)) : gauge(new Gauge(shape));
    for (const [labels, value] of samples) if (Number.isFinite(value)) write(labels, value);
  }
  return registry.metrics();
}

type Write = (labels: Readonly<Record<string, string>>, value: number) => void;

const counter =
  (made: { inc(labels: object, value: number): void }): Write =>
  (labels, value) =>
    made.inc(labels, value);

const gauge =
  (made: { set(labels: object, value: number): void }): Write =>
  (labels, value) =>
    made.set(labels, value);
