/**
 * Hands the log out to one client at a time, over a socket of its own (agent-api 6.6).
 *
 * Lines since the boot wait in a ring with an end. Whoever connects gets them, oldest first, and then what comes; a
 * client may come back and gets what came meanwhile. When the ring is full the oldest line gives way, and the next
 * client is told how many have. Nobody who logs ever waits. What a client that breaks off had been sent but not read is
 * lost with it.
 */
import type { ByteStream } from "../base/byte-stream.ts";
import { silentLog } from "../base/log.ts";
import type { Accepted } from "../vsock/accepted.ts";
import type { Address } from "../vsock/address.ts";
import type { Listener } from "../vsock/listen.ts";
import { listenFrom, type VsockPeers } from "./listen-from.ts";
import { droppedLine } from "./log-line.ts";
import type { LogTarget } from "./log-target.ts";

/** Some thousand lines: the boot, and what leads up to a fault. */
const maxKeptBytes = 512 * 1024;
/** How long the client may take for the last lines. */
const lastLinesMs = 500;

/** A log target that keeps the newest lines for the clients of a port. */
export class LogPort implements LogTarget {
  readonly #maxKeptBytes: number;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #dropped = 0;
  #listener: Listener | undefined;
  #client: ByteStream | undefined;
  /** The client has enough for now. */
  #full = false;
  readonly #refuge: LogTarget;
  #given = false;

  /** `refuge` gets the lines when they cannot be handed out. */
  constructor(refuge: LogTarget, maxBytes: number = maxKeptBytes) {
    this.#refuge = refuge;
    this.#maxKeptBytes = maxBytes;
  }

  /**
   * Takes clients from now on, of those `peers`. It logs nothing itself: that would come back to it.
   * @throws what listening throws; the lines have gone to the refuge then, and so will all that come.
   */
  async listen(address: Address, peers: VsockPeers = "host"): Promise<void> {
    try {
      this.#listener = await listenFrom(peers, address, (accepted) => this.#take(accepted), silentLog);
    } catch (error) {
      this.giveUp();
      throw error;
    }
  }

  /** Whether there is a client now. */
  get connected(): boolean {
    return this.#client !== undefined;
  }

  /** Sends what is kept, and all that comes, to the refuge. For the end in a crash that no client would hear of. */
  giveUp(): void {
    for (const line of this.#takeKept()) this.#refuge.write(line.toString());
    this.#given = true;
  }

  write(lines: string): void {
    if (this.#given) {
      this.#refuge.write(lines);
      return;
    }
    const bytes = Buffer.from(lines);
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    while (this.#keptBytes > this.#maxKeptBytes) this.#dropOldest();
    this.flush();
  }

  flush(): void {
    const client = this.#client;
    if (client === undefined || this.#full || this.#keptBytes === 0) return;
    this.#full = !client.write(...this.#takeKept());
    if (this.#full) {
      void client.drained().then(() => {
        if (this.#client === client) this.#full = false;
        this.flush();
      });
    }
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    await this.#client?.close(lastLinesMs);
    await this.#refuge.close();
  }

  #take(accepted: Accepted): void {
    if (this.#client !== undefined) {
      accepted.close();
      return;
    }
    const client = accepted.stream();
    this.#client = client;
    this.#full = false;
    const ignore = () => undefined;
    client.start(ignore, () => this.#letGo(client));
    this.flush();
  }

  #letGo(client: ByteStream): void {
    if (this.#client === client) this.#client = undefined;
    void client.close();
  }

  #dropOldest(): void {
    const oldest = this.#kept.shift();
    this.#keptBytes -= oldest?.length ?? 0;
    this.#dropped += 1;
  }

  #takeKept(): Buffer[] {
    const kept = this.#kept;
    // The lost ones were the oldest, so that is said first.
    if (this.#dropped > 0) kept.unshift(Buffer.from(droppedLine(this.#dropped)));
    this.#dropped = 0;
    this.#kept = [];
    this.#keptBytes = 0;
    return kept;
  }
}
