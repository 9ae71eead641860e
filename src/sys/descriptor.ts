/**
 * Primer. A descriptor is read and written without blocking, and watched for readiness by libuv's poll in the addon.
 *
 * One watch serves both directions. It is opened at the first wish to wait, because not everything that can be read
 * can be watched (plain files cannot), and it wants exactly the directions somebody waits for: a watch that wants
 * what nobody takes would turn the event loop without end, as it is level triggered.
 */
import { kernel } from "./kernel.ts";
import type { Watch } from "./kernel-functions.ts";

const readableEvent = 1;
const writableEvent = 2;

type Wait = { resolve: () => void; reject: (reason: unknown) => void };

function canceled(): Error {
  return Object.assign(new Error("ECANCELED: descriptor closed"), { code: "ECANCELED" });
}

/**
 * The one primitive for every descriptor: sockets, pipes, terminals, netlink, pidfds.
 * It owns the number from construction on: {@link Descriptor.close} closes it. The descriptor is made non-blocking.
 */
export class Descriptor {
  readonly #fd: number;
  #watch: Watch | undefined;
  #wanted = 0;
  #closed = false;
  #onReadable: (() => void) | undefined;
  #readers: Wait[] = [];
  #writers: Wait[] = [];

  /** @throws EBADF when `fd` is not open. */
  constructor(fd: number) {
    kernel.setNonblocking(fd);
    this.#fd = fd;
  }

  /** The number, for calls of the kernel that this class does not know. @throws EBADF once closed. */
  get fd(): number {
    this.#mustBeOpen("use");
    return this.#fd;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Reads what is there, at most `length` bytes, into `into` at `offset`.
   * @returns the bytes read; 0 at the end; -1 when it would block.
   * @throws the system error, such as ECONNRESET; EIO from a terminal whose other side is gone; EBADF once closed.
   */
  read(into: Uint8Array, offset = 0, length = into.length - offset): number {
    this.#mustBeOpen("read");
    return kernel.read(this.#fd, into, offset, length);
  }

  /**
   * Writes the chunks in one call of the kernel.
   * @returns the bytes written, which may end within a chunk; 0 when it would block.
   * @throws the system error, such as EPIPE; EBADF once closed.
   */
  write(chunks: readonly Uint8Array[]): number {
    this.#mustBeOpen("write");
    const [first] = chunks;
    if (first === undefined) return 0;
    return chunks.length === 1 ? kernel.write(this.#fd, first) : kernel.writev(this.#fd, chunks);
  }

  /**
   * Calls `callback` whenever there is something to read (or the end, or an error, which `read` then tells), again and
   * again until it has been read; `undefined` ends that.
   */
  onReadable(callback: (() => void) | undefined): void {
    if (this.#closed) return;
    this.#onReadable = callback;
    this.#want();
  }

  /** Resolves once there is something to read. Rejects with the signal's reason, or ECANCELED on close. */
  readable(signal?: AbortSignal): Promise<void> {
    return this.#wait(this.#readers, signal);
  }

  /** Resolves once there is room to write. Rejects with the signal's reason, or ECANCELED on close. */
  writable(signal?: AbortSignal): Promise<void> {
    return this.#wait(this.#writers, signal);
  }

  /** Closes the descriptor; whoever waits is rejected with ECANCELED. Safe to repeat. */
  close(): void {
    if (!this.#closed) kernel.closeDescriptor(this.release());
  }

  /**
   * Gives the number back, open, to a caller who owns it from then on; for us it is closed.
   * @throws EBADF when it was closed before.
   */
  release(): number {
    this.#mustBeOpen("release");
    this.#closed = true;
    this.#onReadable = undefined;
    if (this.#watch !== undefined) kernel.closeWatch(this.#watch);
    for (const wait of [...this.#readers.splice(0), ...this.#writers.splice(0)]) wait.reject(canceled());
    return this.#fd;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The number may be somebody else's by now, so a closed descriptor must not reach the kernel. */
  #mustBeOpen(syscall: string): void {
    if (!this.#closed) return;
    throw Object.assign(new Error(`EBADF: descriptor closed, ${syscall}`), { code: "EBADF", syscall });
  }

  #want(): void {
    const reading = this.#onReadable !== undefined || this.#readers.length > 0;
    const wanted = (reading ? readableEvent : 0) | (this.#writers.length > 0 ? writableEvent : 0);
    if (wanted === this.#wanted) return;
    this.#watch ??= kernel.openWatch(this.#fd, (events) => this.#ready(events));
    kernel.setWatch(this.#watch, wanted);
    this.#wanted = wanted;
  }

  #ready(events: number): void {
    if ((events & writableEvent) !== 0 && this.#writers.length > 0)
      for (const wait of this.#writers.splice(0)) wait.resolve();
    if ((events & readableEvent) !== 0) {
      if (this.#readers.length > 0) for (const wait of this.#readers.splice(0)) wait.resolve();
      this.#onReadable?.();
    }
    if (!this.#closed) this.#want();
  }

  #wait(waits: Wait[], signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed) return Promise.reject(canceled());
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const wait: Wait = { resolve, reject };
      if (signal !== undefined) this.#abortable(wait, waits, signal);
      waits.push(wait);
      this.#want();
    });
  }

  #abortable(wait: Wait, waits: Wait[], signal: AbortSignal): void {
    const { resolve, reject } = wait;
    const onAbort = () => {
      waits.splice(waits.indexOf(wait), 1);
      reject(signal.reason);
      this.#want();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    wait.resolve = () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    wait.reject = (reason) => {
      signal.removeEventListener("abort", onAbort);
      reject(reason);
    };
  }
}
