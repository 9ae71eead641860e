import type { Descriptor } from "./descriptor.ts";
import { kernel } from "./kernel.ts";

/** What came in one message. `bytes` 0 = the peer has closed. The receiver owns `fds`, all close-on-exec. */
export type Received = { bytes: number; fds: readonly number[] };

/**
 * Sends descriptors along with at least one byte over a unix socket. Ours stay open.
 * @returns bytes sent; 0 = would block, and nothing was sent.
 * @throws EPIPE, EBADF, …; TypeError for no bytes or more than 16 descriptors.
 */
export function sendDescriptors(socket: Descriptor, bytes: Uint8Array, fds: readonly number[]): number {
  return kernel.sendDescriptors(socket.fd, bytes, fds);
}

/**
 * Receives bytes with the descriptors that came along.
 * @returns undefined when it would block.
 * @throws EMSGSIZE when more than 16 came (all are closed then); the system error otherwise.
 */
export function receiveDescriptors(socket: Descriptor, into: Uint8Array): Received | undefined {
  const received = kernel.receiveDescriptors(socket.fd, into);
  if (received === null) return undefined;
  const [bytes, ...fds] = received;
  return { bytes, fds };
}
