import type { Log } from "../base/log.ts";
import type { BackendConfig } from "./backend-config.ts";
import type { Metrics } from "./metrics.ts";
import { createOutput } from "./out/create-output.ts";
import type { FanOut } from "./out/fan-out.ts";
import type { AppendText } from "./out/lines-output.ts";
import type { Output } from "./out/output.ts";

/** The outputs that are open, exchanged while guests run. */
export class Backends {
  readonly #fanOut: FanOut;
  readonly #print: AppendText;
  readonly #metrics: Metrics;
  readonly #log: Log;
  /** By their configuration as text: one that has not changed goes on with its queue. */
  #open = new Map<string, Output>();

  constructor(fanOut: FanOut, print: AppendText, metrics: Metrics, log: Log) {
    this.#fanOut = fanOut;
    this.#print = print;
    this.#metrics = metrics;
    this.#log = log;
  }

  /**
   * Opens what is new, then closes what is not wanted any more: for `drainMs` it may deliver what waits. One that keeps
   * its spool or file is closed first, since two must not write to it.
   * @throws the system error when one cannot be opened; then all is as before, less what had to be closed first.
   */
  async exchange(configs: readonly BackendConfig[], drainMs: number): Promise<void> {
    const wanted = new Map(configs.map((config) => [JSON.stringify(config), config]));
    const places = new Set(configs.flatMap(placesOf));
    const leaving = [...this.#open].filter(([key]) => !wanted.has(key));
    const first = leaving.filter(([key]) => placesOf(JSON.parse(key)).some((place) => places.has(place)));
    for (const [key] of first) this.#open.delete(key);
    this.#fanOut.isExchanging = first.length > 0;
    this.#publish();
    await Promise.all(first.map(([, output]) => output.close(drainMs)));
    const opened = new Map<string, Output>();
    try {
      for (const [key, config] of wanted)
        opened.set(
          key,
          this.#open.get(key) ?? (await createOutput(config, this.#print, this.#metrics, this.#log)),
        );
    } catch (error) {
      for (const [key, output] of opened) if (!this.#open.has(key)) await output.close(0);
      throw error;
    }
    this.#open = opened;
    this.#fanOut.isExchanging = false;
    this.#publish();
    await Promise.all(
      leaving.filter((one) => !first.includes(one)).map(([, output]) => output.close(drainMs)),
    );
  }

  async close(drainMs: number): Promise<void> {
    await Promise.all([...this.#open.values()].map((output) => output.close(drainMs)));
  }

  /** Those that have to read the bytes come first: they find out what does not decode. */
  #publish(): void {
    const entries = [...this.#open];
    const reads = (key: string) => ["file", "stdout"].includes((JSON.parse(key) as BackendConfig).kind);
    this.#fanOut.outputs = [
      ...entries.filter(([key]) => reads(key)),
      ...entries.filter(([key]) => !reads(key)),
    ].map(([, output]) => output);
  }
}

/** Files and folders that only one output may write to. */
function placesOf(config: BackendConfig): string[] {
  if (config.kind === "file") return [config.path];
  if (config.kind === "stdout") return [];
  return config.queue.spool === undefined ? [] : [config.queue.spool];
}
