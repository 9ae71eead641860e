import { connect, type Socket } from "node:net";
import type { ByteStream } from "../../src/base/byte-stream.ts";

/** A {@link ByteStream} over a socket of Node's own, for tests of rooms that may not import `vsock`. */
export function socketStream(socket: Socket): ByteStream {
  let failure: Error | undefined;
  socket.on("error", (error) => {
    failure = error;
  });
  const close = async (): Promise<void> => {
    if (socket.closed) return;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.destroy();
    await closed;
  };
  return {
    peer: "unix",
    start(onChunk, onEnd) {
      let ended = false;
      const end = () => {
        if (!ended) onEnd(failure);
        ended = true;
      };
      socket.on("data", onChunk);
      socket.on("end", end);
      socket.on("close", end);
    },
    write(...chunks) {
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
      return !socket.writableNeedDrain;
    },
    drained: () =>
      socket.writableNeedDrain
        ? new Promise((resolve) => {
            socket.once("drain", resolve);
            socket.once("close", () => resolve());
          })
        : Promise.resolve(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => new Promise((resolve) => socket.end(() => resolve())),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Connects to a Unix socket; rejects when nobody listens. */
export function dialSocket(path: string): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socketStream(socket));
    });
  });
}
