/**
 * Primer. A listener accepts a bounded number of connections per turn, so that a flood of them does not keep the
 * others waiting. When the process has no descriptor left it must not accept in vain for ever (the connection would
 * stay at the head of the queue and the poll would fire without end): it pauses and tries again.
 *
 * A unix socket leaves its file behind when its owner dies. Such a file is replaced, one with a living owner is not;
 * on close only the very file we made is removed.
 */
import { lstatSync, unlinkSync } from "node:fs";
import type { Log } from "../base/log.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { kernel } from "../sys/kernel.ts";
import type { RawAddress } from "../sys/kernel-functions.ts";
import { Accepted } from "./accepted.ts";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { type PlainAddress, rawAddress } from "./raw-address.ts";

/** A unix socket refuses connections beyond it, so it allows for a burst of all containers of a busy pod. */
const backlog = 512;
const acceptsPerTurn = 64;
const exhaustedPauseMs = 100;
const exhausted = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** A socket that accepts connections. `address` has the real port where port 0 was asked for. */
export type Listener = AsyncDisposable & {
  readonly address: Address;
  /** Stops accepting and removes the file of a unix socket. Accepted connections live on. Safe to repeat. */
  close(): Promise<void>;
};

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Whether this is the file of a unix socket behind which nobody listens any more. */
function isStale(path: string, raw: RawAddress): boolean {
  // A plain file refuses connections just as well, but is nobody's leftover.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  try {
    kernel.closeDescriptor(kernel.connectSocket(...raw, 0)[0]);
    return false;
  } catch (error) {
    return errorCode(error) === "ECONNREFUSED";
  }
}

function openSocket(address: PlainAddress, raw: RawAddress): number {
  try {
    return kernel.listenSocket(...raw, backlog);
  } catch (error) {
    if (address.kind !== "unix" || errorCode(error) !== "EADDRINUSE" || !isStale(address.path, raw))
      throw error;
    unlinkSync(address.path);
    return kernel.listenSocket(...raw, backlog);
  }
}

function realAddress(address: PlainAddress, fd: number): PlainAddress {
  if (address.kind !== "tcp" || address.port !== 0) return address;
  const bound = parseAddress(`tcp://${kernel.socketName(fd, false).replace(/^tcp:/, "")}`);
  return bound.kind === "tcp" ? { ...address, port: bound.port } : address;
}

function inode(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

class SocketListener implements Listener {
  readonly address: Address;
  readonly #descriptor: Descriptor;
  readonly #family: "vsock" | "unix" | "tcp";
  readonly #onAccept: (accepted: Accepted) => void;
  readonly #log: Log;
  readonly #file: { path: string; inode: bigint | undefined } | undefined;
  #pause: NodeJS.Timeout | undefined;
  #warned = false;

  constructor(address: PlainAddress, fd: number, onAccept: (accepted: Accepted) => void, log: Log) {
    this.address = realAddress(address, fd);
    this.#descriptor = new Descriptor(fd);
    this.#family = address.kind === "abstract" ? "unix" : address.kind;
    this.#onAccept = onAccept;
    this.#log = log;
    this.#file = address.kind === "unix" ? { path: address.path, inode: inode(address.path) } : undefined;
    this.#descriptor.onReadable(this.#accept);
  }

  async close(): Promise<void> {
    if (this.#descriptor.closed) return;
    clearTimeout(this.#pause);
    if (this.#file?.inode !== undefined && inode(this.#file.path) === this.#file.inode)
      unlinkSync(this.#file.path);
    this.#descriptor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #accept = (): void => {
    for (let count = 0; count < acceptsPerTurn && !this.#descriptor.closed; count++) {
      const fd = this.#next();
      if (fd < 0) return;
      this.#deliver(new Accepted(fd, this.#family));
    }
  };

  #next(): number {
    try {
      const fd = kernel.acceptSocket(this.#descriptor.fd);
      if (fd >= 0) this.#warned = false;
      return fd;
    } catch (error) {
      this.#rest(error);
      return -1;
    }
  }

  #deliver(accepted: Accepted): void {
    try {
      this.#onAccept(accepted);
    } catch (error) {
      accepted.close();
      this.#log.error({ err: error, peer: accepted.peer }, "connection dropped");
    }
  }

  /** Out of descriptors or memory, or something unheard of: no accepting for a while. */
  #rest(error: unknown): void {
    const code = errorCode(error);
    if (!this.#warned) this.#log.warn({ code, expected: exhausted.has(code ?? "") }, "cannot accept for now");
    this.#warned = true;
    this.#descriptor.onReadable(undefined);
    this.#pause = setTimeout(() => this.#descriptor.onReadable(this.#accept), exhaustedPauseMs);
  }
}

/**
 * Listens; a unix socket gets mode 0600, and a stale file of a dead owner is replaced. `onAccept` must not throw and
 * owns what it is given.
 * @throws the system error, such as EADDRINUSE, EACCES, ENOENT for a folder that is not there.
 */
export async function listen(
  address: Address,
  onAccept: (accepted: Accepted) => void,
  log: Log,
): Promise<Listener> {
  const plain: PlainAddress =
    address.kind === "hybrid" ? { kind: "unix", path: `${address.path}_${address.port}` } : address;
  const raw = await rawAddress(plain);
  const fd = openSocket(plain, raw);
  const listener = new SocketListener(plain, fd, onAccept, log);
  log.debug({ address: formatAddress(listener.address) }, "listening");
  return listener;
}
