/**
 * Connections that the host opens for the standard streams of a process (agent-api 6.7).
 *
 * Nothing is said on such a connection but the bytes of the stream. Which one it is tells the port that it comes from,
 * which the host names in the request that makes the process. So connections wait here until a request takes them.
 * Containers can reach a VSOCK port of the guest too: only what comes from the host is kept.
 */
import type { ByteStream } from "../base/byte-stream.ts";
import { delay } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import type { PassedSource, PassedStreams, StreamPorts } from "../container/passed-streams.ts";
import type { Accepted } from "../vsock/accepted.ts";
import { parseAddress } from "../vsock/address.ts";
import { type Listener, listen } from "../vsock/listen.ts";

const tries = 3;
const betweenTriesMs = 100;
/** A host that opens more without using them has lost count; the oldest gives way. */
const maxWaiting = 1024;
const fromHost = "vsock:2:";

type Waiting = { readonly accepted: Accepted; readonly taken: AbortController };

/** The listener of the port, and the connections that no request has named yet. */
export class PassedConnections implements PassedSource, AsyncDisposable {
  readonly #waiting = new Map<number, Waiting>();
  readonly #log: Log;
  #listener: Listener | undefined;

  private constructor(log: Log) {
    this.#log = log;
  }

  /** Listens for them. @throws when the address is in use. */
  static async listen(address: string, log: Log): Promise<PassedConnections> {
    const connections = new PassedConnections(log);
    const keep = (accepted: Accepted) => connections.#keep(accepted);
    connections.#listener = await listen(parseAddress(address), keep, log);
    return connections;
  }

  /**
   * The streams behind the ports. One that is not there is waited for a little; then the process goes without it.
   */
  async take({ stdin_port, stdout_port, stderr_port }: StreamPorts): Promise<PassedStreams | undefined> {
    if (stdin_port === 0 && stdout_port === 0 && stderr_port === 0) return undefined;
    const ports = [stdin_port, stdout_port, stderr_port];
    const [stdin, stdout, stderr] = await Promise.all(ports.map((port) => this.#take(port)));
    return { stdin, stdout, stderr };
  }

  /** Stops listening and closes what nobody took. Safe to repeat. */
  async close(): Promise<void> {
    await this.#listener?.close();
    for (const port of this.#waiting.keys()) this.#drop(port);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #keep(accepted: Accepted): void {
    const port = accepted.peerPort;
    const foreign = accepted.peer.startsWith("vsock:") && !accepted.peer.startsWith(fromHost);
    if (port === undefined || foreign) {
      this.#log.warn({ peer: accepted.peer }, "a stream that is not the host's was refused");
      accepted.close();
      return;
    }
    this.#drop(port);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= maxWaiting && oldest !== undefined) this.#drop(oldest);
    const waiting: Waiting = { accepted, taken: new AbortController() };
    this.#waiting.set(port, waiting);
    this.#log.debug({ peer: accepted.peer }, "a stream of the host waits");
    void this.#dropWhenGone(port, waiting);
  }

  /** A host that has given up leaves a connection that would stay for ever, and whose port may come again. */
  async #dropWhenGone(port: number, { accepted, taken }: Waiting): Promise<void> {
    const first = await accepted.firstByte(taken.signal).catch(() => undefined);
    if (first === -1 && this.#waiting.get(port)?.accepted === accepted) this.#drop(port);
  }

  async #take(port: number): Promise<ByteStream | undefined> {
    if (port === 0) return undefined;
    for (let turn = 1; ; turn += 1) {
      const waiting = this.#waiting.get(port);
      if (waiting !== undefined) {
        this.#waiting.delete(port);
        waiting.taken.abort();
        return waiting.accepted.stream();
      }
      if (turn === tries) break;
      await delay(betweenTriesMs);
    }
    this.#log.warn({ port }, "a stream of the host did not come, the process goes without it");
    return undefined;
  }

  #drop(port: number): void {
    const waiting = this.#waiting.get(port);
    this.#waiting.delete(port);
    waiting?.taken.abort();
    waiting?.accepted.close();
  }
}
