/** One value of a metric, told from its others by its labels. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** A metric with all its values of one moment. Units stand in the help text unless the name says them. */
export type Metric = {
  /** In the words of Prometheus: `kata_guest_load`. */
  readonly name: string;
  readonly help: string;
  readonly kind: "gauge" | "counter";
  readonly samples: readonly Sample[];
};

/** A gauge whose values differ in the label `item` only. */
export function itemGauge(name: string, help: string, items: Iterable<readonly [string, number]>): Metric {
  return { name, help, kind: "gauge", samples: Array.from(items, ([item, value]) => [{ item }, value]) };
}
