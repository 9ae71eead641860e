import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Descriptor } from "../sys/descriptor.ts";

const done = Promise.resolve();

/**
 * The agent's end of a pipe or terminal that a container process reads from.
 * Writers take turns, so that the bytes of two requests never mix; a full pipe holds back its writer only.
 */
export class WriteEnd {
  #descriptor: Descriptor | undefined;
  readonly #onClose: "close" | "keep";
  #turn: Promise<void> = done;
  /** Writers, and ends of input, whose turn has not passed. */
  #inLine = 0;

  /** `onClose: "keep"` is for a terminal: its one descriptor also carries the output, so end of input leaves it open. */
  constructor(descriptor: Descriptor, onClose: "close" | "keep" = "close") {
    this.#descriptor = descriptor;
    this.#onClose = onClose;
  }

  /**
   * Writes all of `data`, at once when nobody stands in line, waiting while the pipe is full. The data is looked at until
   * the promise is settled, and no longer.
   * @throws INTERNAL with `EPIPE` when nobody reads any more, or when stdin has been closed (agent-api 3.9);
   *   the reason of `signal` when that aborts: a part may have been written then.
   */
  write(data: Uint8Array, signal: () => AbortSignal): Promise<void> {
    if (this.#inLine > 0) return this.#queue(() => this.#writeAll(data, signal));
    try {
      const count = this.#writeSome(data);
      if (count === data.length) return done;
      return this.#queue(() => this.#writeAll(data.subarray(count), signal));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Lets the reader see the end of its input once all earlier writes are through. Safe to repeat. */
  end(): Promise<void> {
    return this.#queue(() => {
      if (this.#onClose === "close") this.close();
    });
  }

  /** Closes at once; a write in progress fails. Safe to repeat. */
  close(): void {
    if (this.#onClose === "close") this.#descriptor?.close();
    this.#descriptor = undefined;
  }

  #queue(work: () => Promise<void> | void): Promise<void> {
    this.#inLine += 1;
    const turn = this.#turn.then(work);
    const leave = () => {
      this.#inLine -= 1;
    };
    this.#turn = turn.then(leave, leave);
    return turn;
  }

  async #writeAll(data: Uint8Array, signal: () => AbortSignal): Promise<void> {
    for (let rest = data; rest.length > 0; ) {
      rest = rest.subarray(this.#writeSome(rest));
      if (rest.length > 0) await this.#descriptor?.writable(signal());
    }
  }

  #writeSome(data: Uint8Array): number {
    if (this.#descriptor === undefined) throw new AgentError(Code.internal, "stdin is closed");
    return this.#descriptor.write([data]);
  }
}
