import type { Log } from "../base/log.ts";
import { formatAddress } from "../vsock/address.ts";
import type { Listener } from "../vsock/listen.ts";
import type { Config } from "./config.ts";
import { type Accept, listenForVmm, listenOn, tracePort } from "./in/listeners.ts";
import { SandboxWatch } from "./in/sandbox-watch.ts";

/** The listeners that are open, exchanged while guests run. Connections that were accepted live on. */
export class Listening {
  readonly #accept: Accept;
  readonly #log: Log;
  readonly #listeners = new Map<string, Listener>();
  #watch: SandboxWatch | undefined;
  #watched = "";

  constructor(accept: Accept, log: Log) {
    this.#accept = accept;
    this.#log = log;
  }

  /** @throws the system error when an address cannot be opened; the others are open then. */
  async exchange({ listen, watch }: Pick<Config, "listen" | "watch">): Promise<void> {
    const wanted = new Map(listen.map((address) => [formatAddress(address), address]));
    for (const [key, listener] of this.#listeners)
      if (!wanted.has(key)) {
        await listener.close();
        this.#listeners.delete(key);
      }
    for (const [key, address] of wanted)
      if (!this.#listeners.has(key))
        this.#listeners.set(key, await listenOn(address, this.#accept, this.#log));
    await this.#exchangeWatch(watch);
    const addresses = [...this.#listeners.values()].map(({ address }) => formatAddress(address));
    this.#log.info({ addresses, watched: watch.length }, "listening");
  }

  /** Safe to repeat. */
  async close(): Promise<void> {
    await this.#watch?.close();
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
    this.#listeners.clear();
  }

  async #exchangeWatch(patterns: Config["watch"]): Promise<void> {
    const watched = JSON.stringify(patterns);
    if (watched === this.#watched) return;
    this.#watched = watched;
    await this.#watch?.close();
    const open = (path: string, sandboxId: string) =>
      listenForVmm(path, tracePort, sandboxId, this.#accept, this.#log);
    this.#watch = new SandboxWatch(patterns, open, this.#log);
    await this.#watch.start();
  }
}
