import { WireError } from "../../wire/wire-error.ts";
import type { Batch, Deliver } from "../export.ts";
import type { Encoding, Metrics } from "../metrics.ts";
import { Refusal } from "../refusal.ts";
import { TookTooLong } from "../within-time.ts";
import { borrowBuffer, returnBuffer } from "./body-buffers.ts";
import type { Guest } from "./guest.ts";
import { otlpFromJaeger } from "./otlp-from-jaeger.ts";
import { otlpFromJson } from "./otlp-from-json.ts";
import { scanExport } from "./scan-export.ts";

/** Nothing else is done while secrets are looked for: a guest whose texts make that long has to wait as many times longer. */
const tooLongSeconds = 20;

/** Where all doors lead: whatever came is made OTLP, looked over, handed on and counted. */
export class Intake {
  readonly #deliver: Deliver;
  readonly #metrics: Metrics;

  constructor(deliver: Deliver, metrics: Metrics) {
    this.#deliver = deliver;
    this.#metrics = metrics;
  }

  /**
   * Resolves when somebody answers for the spans of the body.
   * @throws Refusal 400 when it does not decode, goes beyond the limits, or cannot be scrubbed in time; 503 when nobody has room.
   */
  async take(guest: Guest, encoding: Encoding, body: Uint8Array, batch?: Batch): Promise<void> {
    let spans = 0;
    const made = new MadeBody(guest);
    try {
      const otlp = made.from(encoding, body);
      spans = scanExport(otlp, guest.limits);
      const exported = { body: otlp, spans, origin: guest.origin.key, batch };
      if (spans > 0) await this.#deliver(exported, guest.spent);
      this.#metrics.received(encoding, spans, body.length);
    } catch (error) {
      if (error instanceof TookTooLong) guest.spend(guest.limits.guestBytesPerSecond * tooLongSeconds);
      throw this.refusalOf(error, encoding, spans);
    } finally {
      made.release();
    }
  }

  /** What to tell the sender, counted. */
  refusalOf(error: unknown, encoding: Encoding, spans: number): Refusal {
    const refusal = error instanceof Refusal ? error : new Refusal(...statusOf(error));
    this.#metrics.refused(encoding, refusal.status, spans);
    return refusal;
  }
}

/**
 * A body in OTLP: the sender's own, or what was made of it, in a buffer that is lent for as long as it is needed and counts
 * against the sender's share as the body itself does: a batch of Jaeger's may become three times as long.
 */
class MadeBody {
  readonly #guest: Guest;
  #buffer: Uint8Array | undefined;

  constructor(guest: Guest) {
    this.#guest = guest;
  }

  /** @throws WireError when it does not decode; Refusal 503 when the share is used up. */
  from(encoding: Encoding, body: Uint8Array): Uint8Array {
    if (encoding === "otlp-json") return this.#kept(otlpFromJson(body));
    if (encoding === "jaeger") return this.#kept(otlpFromJaeger(body));
    return body;
  }

  release(): void {
    if (this.#buffer === undefined) return;
    this.#guest.give(this.#buffer.length);
    returnBuffer(this.#buffer);
    this.#buffer = undefined;
  }

  #kept(otlp: Uint8Array): Uint8Array {
    const buffer = borrowBuffer(otlp.length);
    try {
      this.#guest.take(buffer.length);
    } catch (error) {
      returnBuffer(buffer);
      throw error;
    }
    this.#buffer = buffer;
    buffer.set(otlp);
    return buffer.subarray(0, otlp.length);
  }
}

function statusOf(error: unknown): [status: number, message: string] {
  if (error instanceof TookTooLong) return [400, "looking for secrets takes too long"];
  return error instanceof WireError ? [400, error.message] : [503, "cannot write"];
}
