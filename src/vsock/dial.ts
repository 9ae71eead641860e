import type { Socket } from "node:net";
import type { ByteStream } from "../base/byte-stream.ts";
import { deadline } from "../base/deadline.ts";
import type { Descriptor } from "../sys/descriptor.ts";
import { type Address, formatAddress } from "./address.ts";
import { adoptSocket } from "./adopt-socket.ts";
import { connect } from "./connect.ts";
import { hybridHandshake } from "./hybrid-handshake.ts";
import { SocketStream } from "./socket-stream.ts";

/** How long connecting may take in all, name look-up and handshake included. */
export type DialOptions = { timeoutMs: number; signal?: AbortSignal };

async function connectHybrid(
  path: string,
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Descriptor> {
  const socket = await connect({ kind: "unix", path }, timeoutMs, signal);
  try {
    await hybridHandshake(socket, port, signal);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

async function open(address: Address, { timeoutMs, signal }: DialOptions): Promise<Descriptor> {
  const limit = deadline(timeoutMs, signal);
  try {
    if (address.kind !== "hybrid") return await connect(address, timeoutMs, limit.signal);
    return await connectHybrid(address.path, address.port, timeoutMs, limit.signal);
  } finally {
    limit.done();
  }
}

/**
 * Connects. One attempt: who wants to wait for a listener dials again.
 * @throws the system error (ECONNREFUSED also for a hybrid port without a listener), DEADLINE_EXCEEDED after
 *   `timeoutMs`, or the reason of the signal.
 */
export async function dial(address: Address, options: DialOptions): Promise<ByteStream> {
  return new SocketStream(await open(address, options), formatAddress(address));
}

/** The same as one of Node's sockets, for HTTP and gRPC clients. */
export async function dialSocket(address: Address, options: DialOptions): Promise<Socket> {
  return adoptSocket(await open(address, options), address.kind === "vsock" ? "vsock" : "other");
}
