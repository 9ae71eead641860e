/**
 * A shell on a terminal of its own, for one client (agent-api 6.5).
 *
 * Bytes go both ways as they are, and each way is held back by whoever is slow. The session ends with whichever of the
 * two ends first: a shell that has exited closes the connection once its last output is through, a client that has gone
 * takes the shell with it, and the kernel hangs up what runs in front of that.
 */
import type { ByteStream } from "../base/byte-stream.ts";
import type { Child } from "../sys/child.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { closeFd } from "../sys/pipe.ts";
import { spawn } from "../sys/spawn.ts";
import { openTerminal, setWindowSize } from "../sys/terminal.ts";

/** What every shell of the console finds. */
export const shellEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  TERM: "linux",
};

const sigkill = 9;
/** How long a client may take to accept the last output. */
const lastOutputMs = 1_000;
/** Of a terminal whose client cannot tell. */
const usualSize = { rows: 24, columns: 80 };
const readBuffer = Buffer.allocUnsafeSlow(16 * 1024);

/** One client's shell, from the accepted connection to the end of both. */
export class ShellSession {
  /** Resolves when shell and connection have ended. */
  readonly ended: Promise<void>;
  readonly #stream: ByteStream;
  readonly #terminal: Descriptor;
  readonly #child: Child;
  /** The last user of the terminal has closed it. */
  #hungUp = false;

  /** Starts `shell`; owns the connection. @throws what spawning throws, with the connection left to the caller. */
  constructor(shell: string, stream: ByteStream) {
    const { master, slave } = openTerminal();
    this.#terminal = new Descriptor(master);
    try {
      setWindowSize(master, usualSize);
      this.#child = spawn({
        file: shell,
        args: [],
        env: shellEnvironment,
        stdio: [slave, slave, slave],
        newSession: true,
        controllingTerminal: true,
      });
    } catch (error) {
      this.#terminal.close();
      throw error;
    } finally {
      closeFd(slave);
    }
    this.#stream = stream;
    this.#terminal.onReadable(() => void this.#carryOut());
    stream.start(
      (chunk) => void this.#carryIn(Buffer.from(chunk)),
      () => this.close(),
    );
    this.ended = this.#child.exited.then(() => this.#finish());
  }

  /** Kills the shell; {@link ended} tells when it is gone. Safe to repeat. */
  close(): void {
    this.#child.signal(sigkill);
  }

  async #carryIn(bytes: Uint8Array): Promise<void> {
    this.#stream.pause();
    try {
      for (let rest = bytes; rest.length > 0; ) {
        const count = this.#terminal.write([rest]);
        rest = rest.subarray(count);
        if (rest.length > 0) await this.#terminal.writable();
      }
      this.#stream.resume();
    } catch {
      // EIO, ECANCELED: the shell has ended, and so does the session.
    }
  }

  async #carryOut(): Promise<void> {
    if (this.#moveOutput()) return;
    // The client is slow, or the shell has closed its terminal, which its end will tell.
    this.#terminal.onReadable(undefined);
    await this.#stream.drained();
    if (!this.#hungUp) this.#terminal.onReadable(() => void this.#carryOut());
  }

  /** Passes on what is there; false when nothing more should be read for now. */
  #moveOutput(): boolean {
    try {
      const count = this.#terminal.read(readBuffer);
      if (count <= 0) return true;
      return this.#stream.write(Buffer.from(readBuffer.subarray(0, count)));
    } catch {
      this.#hungUp = true;
      return false;
    }
  }

  async #finish(): Promise<void> {
    this.#drain();
    this.#terminal.close();
    await this.#stream.close(lastOutputMs);
  }

  /** What the shell has said before it ended is all there; a terminal holds little. */
  #drain(): void {
    try {
      for (let count = 1; count > 0; ) {
        count = this.#terminal.read(readBuffer);
        if (count > 0) this.#stream.write(Buffer.from(readBuffer.subarray(0, count)));
      }
    } catch {
      // EIO: that was all.
    }
  }
}
