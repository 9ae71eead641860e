import type { Log } from "../base/log.ts";
import { type Address, formatAddress } from "../vsock/address.ts";
import type { Listener } from "../vsock/listen.ts";
import type { Config } from "./config.ts";
import type { GuestLogs } from "./guest-logs.ts";
import { type Accept, giveToOwner, listenForVmm, listenOn, tracePort } from "./in/listeners.ts";
import { SandboxWatch } from "./in/sandbox-watch.ts";
import { VsockLogs, type VsockReach } from "./vsock-logs.ts";

/** The listeners that are open, exchanged while guests run. Connections that were accepted live on. */
export class Listening {
  readonly #accept: Accept;
  readonly #log: Log;
  readonly #vsockReach: VsockReach | undefined;
  readonly #listeners = new Map<string, Listener>();
  #watch: SandboxWatch | undefined;
  #watched = "";
  #guestLogs: GuestLogs | undefined;
  #vsockLogs: VsockLogs | undefined;

  /** `vsockReach` is for tests: how guests with AF_VSOCK are reached. */
  constructor(accept: Accept, log: Log, vsockReach?: VsockReach) {
    this.#accept = (accepted, origin) => {
      if (origin.cid !== undefined) this.#vsockLogs?.seen(origin.cid);
      accept(accepted, origin);
    };
    this.#log = log;
    this.#vsockReach = vsockReach;
  }

  /**
   * `guestLogs` follows the sandboxes that are watched, and the guests that come over AF_VSOCK.
   * @throws the system error when an address cannot be opened; the others are open then.
   */
  async exchange(
    { listen, watch }: Pick<Config, "listen" | "watch">,
    guestLogs?: GuestLogs | undefined,
  ): Promise<void> {
    const wanted = new Map(listen.map((address) => [formatAddress(address), address]));
    for (const [key, listener] of this.#listeners)
      if (!wanted.has(key)) {
        await listener.close();
        this.#listeners.delete(key);
      }
    for (const [key, address] of wanted)
      if (!this.#listeners.has(key))
        this.#listeners.set(key, await listenOn(address, this.#accept, this.#log));
    await this.#exchangeVsockLogs(guestLogs);
    await this.#exchangeWatch(watch, guestLogs);
    const addresses = [...this.#listeners.values()].map(({ address }) => formatAddress(address));
    this.#log.info({ addresses, watched: watch.length }, "listening");
  }

  /** Safe to repeat. */
  async close(): Promise<void> {
    await Promise.all([this.#watch?.close(), this.#vsockLogs?.close()]);
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
    this.#listeners.clear();
  }

  async #exchangeVsockLogs(guestLogs: GuestLogs | undefined): Promise<void> {
    if (guestLogs === this.#guestLogs) return;
    const known = this.#vsockLogs?.cids;
    await this.#vsockLogs?.close();
    this.#vsockLogs = guestLogs && new VsockLogs(guestLogs, this.#vsockReach, known);
  }

  async #exchangeWatch(patterns: Config["watch"], guestLogs: GuestLogs | undefined): Promise<void> {
    const watched = JSON.stringify(patterns);
    if (watched === this.#watched && guestLogs === this.#guestLogs) return;
    this.#watched = watched;
    this.#guestLogs = guestLogs;
    await this.#watch?.close();
    const open = async (path: string, sandboxId: string): Promise<Listener> => {
      const listener = await listenForVmm(path, tracePort, sandboxId, this.#accept, this.#log);
      if (guestLogs === undefined) return listener;
      const address: Address = { kind: "hybrid", path, port: guestLogs.config.port };
      return withLog(listener, guestLogs.follow(address, { sandbox: sandboxId }));
    };
    this.#watch = new SandboxWatch(patterns, open, (path) => giveToOwner(path, tracePort), this.#log);
    await this.#watch.start();
  }
}

/** The listener of a sandbox, whose end is that of its log too. */
function withLog(listener: Listener, guestLog: { close(): Promise<void> }): Listener {
  const close = async (): Promise<void> => {
    await Promise.all([listener.close(), guestLog.close()]);
  };
  return { address: listener.address, close, [Symbol.asyncDispose]: close };
}
