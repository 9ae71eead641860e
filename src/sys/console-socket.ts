/**
 * Receives one terminal over a unix socket, the way OCI runtimes hand it over: they connect, send the master side as
 * a descriptor along with its name, and close.
 */
import { rmSync } from "node:fs";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { Descriptor } from "./descriptor.ts";
import { kernel } from "./kernel.ts";
import { receiveDescriptors } from "./pass-fd.ts";

const unixPathKind = 1;
const backlog = 1;
const nameBytes = 256;

/** One listening socket, for one terminal. */
export class ConsoleSocket implements Disposable {
  readonly path: string;
  readonly #listener: Descriptor;

  /** Listens at `path`, at most 107 bytes long; the file belongs to the socket. @throws EADDRINUSE, ENOENT. */
  constructor(path: string) {
    this.path = path;
    this.#listener = new Descriptor(kernel.listenSocket(unixPathKind, path, 0, 0, backlog));
  }

  /**
   * Waits for the terminal. The caller owns the bare number, the master side.
   * @throws the reason of `signal`; INTERNAL when the peer sent something else.
   */
  async receive(signal: AbortSignal): Promise<number> {
    using connection = new Descriptor(await this.#accept(signal));
    const name = new Uint8Array(nameBytes);
    for (;;) {
      const received = receiveDescriptors(connection, name);
      if (received === undefined) {
        await connection.readable(signal);
        continue;
      }
      const [master, ...others] = received.fds;
      for (const fd of others) kernel.closeDescriptor(fd);
      if (master === undefined) throw new AgentError(Code.internal, "the console socket brought no terminal");
      return master;
    }
  }

  /** Stops listening and removes the file. Safe to repeat. */
  close(): void {
    this.#listener.close();
    rmSync(this.path, { force: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #accept(signal: AbortSignal): Promise<number> {
    for (;;) {
      const fd = kernel.acceptSocket(this.#listener.fd);
      if (fd >= 0) return fd;
      await this.#listener.readable(signal);
    }
  }
}
