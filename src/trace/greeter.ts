import type { Announcements } from "./announcements.ts";
import { encodeScopeSpans } from "./otlp.ts";
import type { Envelope } from "./post-envelope.ts";
import type { Sent, Transport } from "./sent.ts";

/** Nobody could be reached, and why. */
export type Unreached = Sent & { status: "retry"; reached: false };

/** A receiver that refused our own words is asked again on a later connection, but not on each of a quick series. */
const silentMs = 10_000;

/**
 * Our own words to the receiver: what is open, and farewell (docs/protocol.md).
 *
 * A receiver is greeted with all open spans on every new connection. One that answers as if it did not know the words hears
 * no more of them there. All methods are called by whoever sends, one after the other.
 */
export class Greeter {
  readonly #transport: Transport;
  readonly #envelope: Envelope;
  readonly #announcements: Announcements;
  #connection = 0;
  #greeted = 0;
  #speaks = true;
  #silentUntilMs = 0;

  constructor(transport: Transport, envelope: Envelope, announcements: Announcements) {
    this.#transport = transport;
    this.#envelope = envelope;
    this.#announcements = announcements;
  }

  /** Somebody has been greeted and follows our words. */
  get understood(): boolean {
    return this.#greeted > 0 && this.#speaks;
  }

  /** Nobody has shown that it does not know our words. */
  get mayBeUnderstood(): boolean {
    return this.#speaks;
  }

  /** The connection is a new one, and whoever is at its end has not been greeted. */
  get owesGreeting(): boolean {
    return this.#connection !== this.#greeted;
  }

  /** Makes sure of a connection. A result = why there is none. */
  async reach(): Promise<Unreached | undefined> {
    const connection = await this.#transport.reach();
    if (connection instanceof Error) return { status: "retry", reached: false, error: connection };
    this.#connection = connection;
    return undefined;
  }

  /** Makes sure of a connection, and that whoever is at its end knows the open spans. A result = why there is none. */
  async greet(): Promise<Unreached | undefined> {
    const unreached = await this.reach();
    if (unreached !== undefined || !this.owesGreeting) return unreached;
    this.#greeted = this.#connection;
    this.#speaks = performance.now() >= this.#silentUntilMs;
    this.#announcements.forget();
    if (this.#speaks) await this.#announce();
    return undefined;
  }

  /** Tells of spans that are due; on a new connection the greeting does. A result = why nobody hears it. */
  async tellOpen(): Promise<Unreached | undefined> {
    const greeted = this.#greeted;
    const unreached = await this.greet();
    if (unreached === undefined && this.#greeted === greeted && this.#speaks) await this.#announce();
    return unreached;
  }

  /** Takes leave: what the receiver knows as open is closed. */
  async goodbye(): Promise<void> {
    await this.#transport.send(this.#envelope.goodbye());
  }

  /** There will be another receiver, of which nothing is known. */
  startAnew(): void {
    this.#silentUntilMs = 0;
    this.#speaks = true;
  }

  async #announce(): Promise<void> {
    const spans = this.#announcements.take();
    if (spans.length === 0) return;
    const sent = await this.#transport.send(this.#envelope.openSpans(encodeScopeSpans(spans)));
    if (sent.status === "failed") {
      this.#speaks = false;
      this.#silentUntilMs = performance.now() + silentMs;
    }
    if (sent.status === "retry") this.#announcements.forget();
  }
}
