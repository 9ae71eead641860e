import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Log } from "../base/log.ts";
import type { PciPath } from "../devices/pci-path.ts";
import type { Uevents } from "../devices/uevents.ts";
import { netDeviceArrived, physicalNetDevice } from "./net-device.ts";
import { applyInterface, setHardwareAddress, type WantedInterface } from "./network-interface.ts";
import { type Link, linkNamed, readLinks } from "./network-links.ts";
import { addNeighbors, type WantedNeighbor } from "./network-neighbors.ts";
import { makeRoutes, type WantedRoute } from "./network-routes.ts";
import { templateNic } from "./template-nic.ts";

/** `uevents`: tells when a NIC has come; `sysfs`: where that is mounted (default /sys). */
export type NetworkOptions = { log: Log; uevents: Uevents; sysfs?: string };

/**
 * Changes to the guest's network. They come one at a time, since each looks at what is there before it acts; waiting
 * for a NIC to come holds nobody up.
 */
export class Network {
  readonly #log: Log;
  readonly #uevents: Uevents;
  readonly #sysfs: string;
  /** Indexes of the links that a request has configured. */
  readonly #configured = new Set<number>();
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor({ log, uevents, sysfs = "/sys" }: NetworkOptions) {
    this.#log = log;
    this.#uevents = uevents;
    this.#sysfs = sysfs;
  }

  /**
   * Waits for the NIC and makes it what is wanted (agent-api 3.18). Safe to repeat; `signal` ends the waiting only.
   * @throws INTERNAL, with `Link not found` in the text while the NIC is not there.
   */
  async updateInterface(wanted: WantedInterface, signal?: AbortSignal): Promise<void> {
    const { pciPath } = wanted;
    if (pciPath !== undefined) {
      await netDeviceArrived(pciPath, { uevents: this.#uevents, sysfs: this.#sysfs, signal });
    }
    await this.#inTurn(async () => {
      if (pciPath !== undefined) await this.#correctAddress(pciPath, wanted.hardwareAddress);
      const links = await readLinks();
      const link = withAddress(links, wanted) ?? (await this.#adoptTemplateNic(links, wanted));
      await applyInterface(link, wanted, links);
      this.#configured.add(link.index);
    });
  }

  /** Makes routes (agent-api 3.19). @throws INTERNAL. */
  updateRoutes(routes: readonly WantedRoute[]): Promise<void> {
    return this.#inTurn(() => makeRoutes(routes));
  }

  /** Makes neighbours (agent-api 3.21). @throws INTERNAL. */
  addNeighbors(neighbors: readonly WantedNeighbor[]): Promise<void> {
    return this.#inTurn(() => addNeighbors(neighbors));
  }

  /** A physical NIC that was passed through may have lost the address that the host gave it (3.18 step 2). */
  async #correctAddress(path: PciPath, address: string): Promise<void> {
    try {
      const name = await physicalNetDevice(this.#sysfs, path);
      if (name === undefined) return;
      const link = linkNamed(await readLinks(), name);
      if (link.hardwareAddress !== address) await setHardwareAddress(link, address);
    } catch (error) {
      this.#log.warn({ err: error }, "could not correct the hardware address of a NIC");
    }
  }

  async #adoptTemplateNic(links: readonly Link[], wanted: WantedInterface): Promise<Link> {
    const nic = templateNic(links, wanted, this.#configured);
    if (nic === undefined) throw notFound(wanted);
    await setHardwareAddress(nic, wanted.hardwareAddress);
    return nic;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastTurn.then(work);
    this.#lastTurn = done.catch(() => undefined);
    return done;
  }
}

function withAddress(links: readonly Link[], { hardwareAddress }: WantedInterface): Link | undefined {
  return links.find((link) => link.kind === "ether" && link.hardwareAddress === hardwareAddress);
}

function notFound({ hardwareAddress }: WantedInterface): AgentError {
  return new AgentError(Code.internal, `Link not found: hardware address ${hardwareAddress}`);
}
