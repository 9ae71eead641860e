import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";

/** Ways to send the same body `count` times: a connection to each target, each request after the answer to the one before. */

/** Over HTTP/1.1 to unix sockets or `port`s of loopback. What finds no room is sent again. */
export async function overHttp(
  targets: readonly (string | number)[],
  body: Uint8Array,
  type: string,
  count: number,
  path = "/v1/traces",
): Promise<void> {
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const message = Buffer.concat([Buffer.from(head), body]);
  let left = count;
  const one = async (target: string | number) => {
    const socket = typeof target === "number" ? connect(target, "127.0.0.1") : connect(target);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const next = () => {
      if (left-- > 0) socket.write(message);
      else resolve();
    };
    socket.on("connect", next).on("error", reject);
    socket.on("data", (chunk) => {
      const isTaken = chunk.includes("HTTP/1.1 20");
      if (!isTaken && !chunk.includes("HTTP/1.1 503")) reject(new Error(chunk.toString("latin1")));
      // The receiver shares its core with us, so the queue may be full for a while.
      if (isTaken) next();
      else setTimeout(() => socket.write(message), 20);
    });
    await promise;
    socket.destroy();
  };
  await Promise.all(targets.map(one));
}

const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const unavailable = 14;
const asIs = (bytes: Buffer): Buffer => bytes;

/** Over gRPC to unix sockets. */
export async function overGrpc(targets: readonly string[], body: Uint8Array, count: number): Promise<void> {
  let left = count;
  const one = async (target: string) => {
    const client = new grpc.Client(`unix:${target}`, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const send = () =>
      new Promise<number | undefined>((resolve, reject) =>
        client.makeUnaryRequest(exportPath, asIs, asIs, Buffer.from(body), (error) => {
          if (error === null || error.code === unavailable) resolve(error?.code);
          else reject(error);
        }),
      );
    while (left-- > 0) while ((await send()) === unavailable) await pause(20);
    client.close();
  };
  await Promise.all(targets.map(one));
}

/** Frames one way to unix sockets, as upstream's agent sends them. */
export async function overFrames(
  targets: readonly string[],
  frames: Uint8Array,
  count: number,
): Promise<void> {
  const one = async (target: string) => {
    const socket = connect(target);
    for (let left = count / targets.length; left > 0; left--)
      if (!socket.write(frames)) await once(socket, "drain");
    socket.end();
    await once(socket.resume(), "close");
  };
  await Promise.all(targets.map(one));
}
