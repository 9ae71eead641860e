import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { Guest } from "./guest.ts";

/**
 * What arrives over gRPC counts against the guest's share while it arrives. The library gathers a message and hands it
 * on whole, and a guest may have many under way, so each stream is looked at beside the library: Node tells of every
 * HTTP/2 stream of the process, and the socket's name says whose it is.
 */

const streamCreated = "http2.server.stream.created";

/**
 * Counts for as long as it is not ended by what it returns. `guestOf` finds the guest by the name of the connection's
 * peer; `onRefused` is told of a stream that was one too many: its sender sees UNAVAILABLE and may come again.
 */
export function countArriving(
  guestOf: (peer: string) => Guest | undefined,
  onRefused: (error: unknown) => void,
): () => void {
  const onCreated = (message: unknown) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    const guest = guestOf(String(stream.session?.socket?.remoteAddress));
    // The library gets the stream in the turn after this one: whoever reads it first sets it flowing.
    if (guest !== undefined) process.nextTick(() => countStream(stream, guest, onRefused));
  };
  subscribe(streamCreated, onCreated);
  return () => unsubscribe(streamCreated, onCreated);
}

function countStream(stream: ServerHttp2Stream, guest: Guest, onRefused: (error: unknown) => void): void {
  let held = 0;
  const onData = (chunk: Buffer) => {
    try {
      guest.take(chunk.length);
      held += chunk.length;
    } catch (error) {
      stream.off("data", onData);
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      onRefused(error);
    }
  };
  stream.on("data", onData);
  stream.once("close", () => {
    guest.give(held);
    held = 0;
  });
}
