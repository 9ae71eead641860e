import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * Speaks hybrid VSOCK on a unix socket as a VMM does: a line `CONNECT <port>`, the answer `OK <port>`, and from then on
 * the guest's bytes, here those of another unix socket. A port that is not in `ports` is closed without an answer.
 */
export async function fakeVmm(path: string, ports: ReadonlyMap<number, string>): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (host) => {
    keep(host).once("data", (line) => {
      const port = Number(/^CONNECT (\d+)\n$/.exec(line.toString())?.[1]);
      const guestPath = ports.get(port);
      if (guestPath === undefined) return void host.destroy();
      const guest = keep(connect(guestPath));
      guest.once("connect", () => {
        host.write("OK 1073741824\n");
        guest.pipe(host).pipe(guest);
      });
      guest.once("error", () => host.destroy());
    });
  });
  server.listen(path);
  await once(server, "listening");
  return { [Symbol.asyncDispose]: () => closeAll(server, sockets) };
}

async function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, "close");
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}
