/**
 * The agent's one listener: ttRPC and gRPC on the same address, told apart by the first byte of a connection.
 *
 * An HTTP/2 client begins with `PRI * HTTP/2.0`; the first byte of a legal ttRPC header is 0 (wire-and-tracing 1.1).
 * The byte is only looked at, so whoever takes the connection reads it from the start.
 */
import type { Log } from "../base/log.ts";
import type { Dispatcher } from "../rpc/dispatch.ts";
import type { GrpcServer } from "../rpc/grpc/server.ts";
import { serveTtrpc, type TtrpcConnection } from "../rpc/ttrpc/server.ts";
import type { Accepted } from "../vsock/accepted.ts";
import { type Address, parseAddress } from "../vsock/address.ts";
import type { Listener } from "../vsock/listen.ts";
import { listenFrom, type VsockPeers } from "./listen-from.ts";

const http2FirstByte = 0x50;
const closedBeforeFirstByte = -1;

/** The running server. `close` stops accepting, lets running calls end within `graceMs`, and cuts the rest. */
export type AgentServer = { readonly address: Address; close(graceMs: number): Promise<void> };

/** Listens on `address` and serves both protocols to those `peers`. @throws when the address is bad or in use. */
export async function serve(
  address: string,
  dispatcher: Dispatcher,
  log: Log,
  peers: VsockPeers = "host",
): Promise<AgentServer> {
  const server = new Server(dispatcher, log);
  const take = (accepted: Accepted) => void server.take(accepted);
  const listener = await listenFrom(peers, parseAddress(address), take, log);
  return { address: listener.address, close: (graceMs) => server.close(listener, graceMs) };
}

class Server {
  readonly #dispatcher: Dispatcher;
  readonly #log: Log;
  readonly #connections = new Set<TtrpcConnection>();
  readonly #undecided = new Set<Accepted>();
  #grpc: Promise<GrpcServer> | undefined;

  constructor(dispatcher: Dispatcher, log: Log) {
    this.#dispatcher = dispatcher;
    this.#log = log;
  }

  async take(accepted: Accepted): Promise<void> {
    this.#undecided.add(accepted);
    try {
      const first = await accepted.firstByte();
      if (first === closedBeforeFirstByte) accepted.close();
      else if (first === http2FirstByte) (await this.#grpcServer()).take(accepted.socket(), accepted.peer);
      else this.#serveTtrpc(accepted);
    } catch (error) {
      this.#log.debug({ peer: accepted.peer, err: error }, "connection was dropped");
      accepted.close();
    } finally {
      this.#undecided.delete(accepted);
    }
  }

  async close(listener: Listener, graceMs: number): Promise<void> {
    await listener.close();
    for (const accepted of this.#undecided) accepted.close();
    const grpc = await this.#grpc;
    await Promise.all([
      grpc?.close(graceMs),
      ...this.#connections.values().map((connection) => connection.close(graceMs)),
    ]);
  }

  #serveTtrpc(accepted: Accepted): void {
    const connection = serveTtrpc(accepted.stream(), this.#dispatcher, { log: this.#log });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  /** grpc-js is loaded when the first gRPC client comes; no Kata runtime is one. */
  #grpcServer(): Promise<GrpcServer> {
    this.#grpc ??= import("../rpc/grpc/server.ts").then(({ createGrpcServer }) =>
      createGrpcServer(this.#dispatcher, this.#log),
    );
    return this.#grpc;
  }
}
