/**
 * Primer. Netlink sockets deliver whole datagrams. Every process of the machine may send one to us, so only those of
 * the kernel itself (port id 0) are taken. When events come faster than we read, the kernel drops some and says so
 * once, with ENOBUFS: the socket is fine afterwards, but whoever waits for an event must look for itself again.
 */
import { Descriptor } from "./descriptor.ts";
import { kernel } from "./kernel.ts";
import { parseUevent, type Uevent } from "./uevent.ts";

const ueventProtocol = 15;
const kernelEvents = 1;
const datagram = new Uint8Array(16 * 1024);
const datagramsPerTurn = 256;

/** The kernel's device events, from the moment of opening on. */
export class UeventSocket implements Disposable {
  readonly #descriptor: Descriptor;
  readonly #onEvent: (event: Uevent) => void;
  readonly #onLost: () => void;

  /** `onLost`: events were dropped. @throws EPERM and others of socket(2). */
  constructor(onEvent: (event: Uevent) => void, onLost: () => void) {
    this.#onEvent = onEvent;
    this.#onLost = onLost;
    this.#descriptor = new Descriptor(kernel.openNetlink(ueventProtocol, kernelEvents));
    this.#descriptor.onReadable(() => this.#drain());
  }

  /** Safe to repeat. */
  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #drain(): void {
    for (let count = 0; count < datagramsPerTurn && !this.#descriptor.closed; count++) {
      const length = this.#receive();
      if (length < 0) return;
      const event = parseUevent(datagram.subarray(0, length));
      if (event !== undefined) this.#onEvent(event);
    }
  }

  #receive(): number {
    try {
      return kernel.receiveNetlink(this.#descriptor.fd, datagram);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOBUFS") throw error;
      this.#onLost();
      return 0;
    }
  }
}
