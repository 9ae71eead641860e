import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";

// Below those that the kernel hands out by itself (ip_local_port_range): one of these is not taken by the next
// connection or listener of whatever else runs, before the program that it is meant for listens.
const [first, end] = [10_000, 32_000];

/** A TCP port of the loopback that nobody listens on now, for programs that cannot tell which one they took. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, end);
    if (await isFree(port)) return port;
  }
}

/** Whether somebody takes connections on this port of the loopback. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
