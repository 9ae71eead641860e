import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** QEMU's control socket (QMP): one command at a time, events left out. The first is `qmp_capabilities`. */
export class Monitor implements Disposable {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#lines = createInterface(this.#socket)[Symbol.asyncIterator]();
  }

  async command(execute: string, args: object = {}): Promise<void> {
    this.#socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`${execute}: the monitor is gone`);
      const answer = JSON.parse(value) as { return?: object; error?: { desc: string } };
      if (answer.error !== undefined) throw new Error(`${execute}: ${answer.error.desc}`);
      if (answer.return !== undefined) return;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
