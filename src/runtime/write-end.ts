import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Descriptor } from "../sys/descriptor.ts";

/**
 * The agent's end of a pipe or terminal that a container process reads from.
 * Writers take turns, so that the bytes of two requests never mix; a full pipe holds back its writer only.
 */
export class WriteEnd {
  #descriptor: Descriptor | undefined;
  readonly #onClose: "close" | "keep";
  #turn: Promise<unknown> = Promise.resolve();

  /** `onClose: "keep"` is for a terminal: its one descriptor also carries the output, so end of input leaves it open. */
  constructor(descriptor: Descriptor, onClose: "close" | "keep" = "close") {
    this.#descriptor = descriptor;
    this.#onClose = onClose;
  }

  /**
   * Writes all of `data`, waiting while the pipe is full.
   * @throws INTERNAL with `EPIPE` when nobody reads any more, or when stdin has been closed (agent-api 3.9);
   *   the reason of `signal` when that aborts: a part may have been written then.
   */
  write(data: Uint8Array, signal: () => AbortSignal): Promise<void> {
    const turn = this.#turn.then(() => this.#writeAll(data, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Lets the reader see the end of its input once all earlier writes are through. Safe to repeat. */
  end(): Promise<void> {
    const turn = this.#turn.then(() => {
      if (this.#onClose === "close") this.close();
    });
    this.#turn = turn;
    return turn;
  }

  /** Closes at once; a write in progress fails. Safe to repeat. */
  close(): void {
    if (this.#onClose === "close") this.#descriptor?.close();
    this.#descriptor = undefined;
  }

  async #writeAll(data: Uint8Array, signal: () => AbortSignal): Promise<void> {
    let rest = data;
    while (rest.length > 0) {
      const descriptor = this.#descriptor;
      if (descriptor === undefined) throw new AgentError(Code.internal, "stdin is closed");
      const count = descriptor.write([rest]);
      rest = rest.subarray(count);
      if (rest.length > 0) await descriptor.writable(signal());
    }
  }
}
