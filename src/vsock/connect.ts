import { abortable, delay } from "../base/deadline.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { kernel } from "../sys/kernel.ts";
import { type PlainAddress, rawAddress } from "./raw-address.ts";

/** The queue of a unix listener is full: connect(2) does not wait for it when non-blocking. */
const retryMs = 10;
/** Longest value for the kernel's own limit of a VSOCK connect; ours ends it earlier. */
const maxKernelTimeoutMs = 0xffffffff;

function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EAGAIN";
}

/**
 * Opens a connected, non-blocking stream socket.
 * @throws the system error of connect(2), such as ECONNREFUSED, ENOENT, ETIMEDOUT; the reason of the signal.
 */
export async function connect(
  address: PlainAddress,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Descriptor> {
  const raw = await abortable(rawAddress(address), signal);
  for (;;) {
    signal.throwIfAborted();
    try {
      const [fd, connected] = kernel.connectSocket(
        ...raw,
        Math.min(Math.ceil(timeoutMs), maxKernelTimeoutMs),
      );
      const descriptor = new Descriptor(fd);
      if (connected === 0) await finish(descriptor, signal);
      return descriptor;
    } catch (error) {
      if (!isFull(error)) throw error;
    }
    await delay(retryMs, signal);
  }
}

async function finish(descriptor: Descriptor, signal: AbortSignal): Promise<void> {
  try {
    await descriptor.writable(signal);
    kernel.finishConnect(descriptor.fd);
  } catch (error) {
    descriptor.close();
    throw error;
  }
}
