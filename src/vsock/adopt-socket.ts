import type { Socket } from "node:net";
import type { Descriptor } from "../sys/descriptor.ts";
import { kernel } from "../sys/kernel.ts";

/**
 * Turns a connected socket into one of Node's, for libraries that insist on it. The descriptor gives up its number.
 *
 * Node refuses a VSOCK descriptor by its family, so Node is given the number of an unconnected unix socket (the seat),
 * and the VSOCK one is put in its place before the event loop first sees it: nothing here may wait in between.
 */
export function adoptSocket(descriptor: Descriptor, family: "vsock" | "other"): Socket {
  // Not imported above: an agent that only speaks ttRPC never loads it.
  const net = process.getBuiltinModule("node:net");
  const fd = descriptor.release();
  const seat = family === "vsock" ? kernel.openSeat() : fd;
  const socket = new net.Socket({ fd: seat, readable: true, writable: true, allowHalfOpen: true });
  if (seat !== fd) kernel.takeSeat(fd, seat);
  return socket;
}
