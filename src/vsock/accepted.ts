import type { Socket } from "node:net";
import type { ByteStream } from "../base/byte-stream.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { kernel } from "../sys/kernel.ts";
import { adoptSocket } from "./adopt-socket.ts";
import { SocketStream } from "./socket-stream.ts";

const ended = -1;
const wouldBlock = -2;

function peerName(fd: number, fallback: string): string {
  try {
    return kernel.socketName(fd, true);
  } catch {
    return fallback; // ENOTCONN: it has gone already
  }
}

/**
 * A connection that came in and is nobody's yet. Whoever takes it calls {@link Accepted.stream} or
 * {@link Accepted.socket}, each once, and owns the result; or {@link Accepted.close}. A stream may become a socket: the
 * stream has to be paused, with nothing left to send, and is of no more use then.
 */
export class Accepted {
  /** `unix`, `vsock:2:1234`, `tcp:127.0.0.1:80`. */
  readonly peer: string;
  readonly #descriptor: Descriptor;
  readonly #family: "vsock" | "other";
  #stream: ByteStream | undefined;

  /** Owns `fd`, a connected socket, from now on. */
  constructor(fd: number, family: "vsock" | "unix" | "tcp") {
    this.#descriptor = new Descriptor(fd);
    this.#family = family === "vsock" ? "vsock" : "other";
    this.peer = family === "unix" ? family : peerName(fd, family);
  }

  /** The peer's port on VSOCK or TCP; undefined for a unix socket. */
  get peerPort(): number | undefined {
    const port = /:(\d+)$/.exec(this.peer)?.[1];
    return port === undefined ? undefined : Number(port);
  }

  /**
   * The first byte the peer sent, which stays to be read; -1 when it closed before any.
   * @throws the reason of the signal; ECANCELED when closed meanwhile.
   */
  async firstByte(signal?: AbortSignal): Promise<number> {
    for (;;) {
      const byte = this.#peek();
      if (byte !== wouldBlock) return byte;
      await this.#descriptor.readable(signal);
    }
  }

  /** The connection as a `ByteStream`. Precondition: not taken yet. */
  stream(): ByteStream {
    this.#stream = new SocketStream(this.#descriptor, this.peer);
    return this.#stream;
  }

  /** The connection as one of Node's sockets. @throws EBADF when it was taken or closed before. */
  socket(): Socket {
    return adoptSocket(this.#descriptor, this.#family);
  }

  /** Closes it, also after it was taken as a stream; not after it was taken as a socket. Safe to repeat. */
  close(): void {
    if (this.#stream !== undefined) void this.#stream.close();
    else this.#descriptor.close();
  }

  #peek(): number {
    if (this.#descriptor.closed) return ended;
    try {
      return kernel.peekSocket(this.#descriptor.fd);
    } catch {
      return ended; // ECONNRESET: closed before any byte, in a hurry
    }
  }
}
