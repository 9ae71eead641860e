import type { Socket } from "node:net";
import type { handleUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { Log } from "../../base/log.ts";
import { freeBytes } from "../free-bytes.ts";
import { Refusal } from "../refusal.ts";
import { countArriving } from "./grpc-arrival.ts";
import type { Guest } from "./guest.ts";
import type { Intake } from "./intake.ts";
import type { Limits } from "./limits.ts";

/** OTLP over gRPC, on connections that others accepted. */
export type GrpcDoor = {
  /** Serves the connection and owns the socket from now on. */
  take(socket: Socket, guest: Guest): void;
  /** Lets running calls end within `limitMs`, then cuts. Safe to repeat. */
  close(limitMs: number): Promise<void>;
};

const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const maxStreams = 16;
const keepAliveMs = 60_000;
const keepAliveAnswerMs = 20_000;
/** What a peer says may be too fast or come again later is `RESOURCE_EXHAUSTED` only with a delay to it. */
const unavailable = 14;
const invalidArgument = 3;
const resourceExhausted = 8;
const codes: ReadonlyMap<number, number> = new Map([
  [400, invalidArgument],
  [413, resourceExhausted],
  [429, unavailable],
  [503, unavailable],
]);
const emptyAnswer = Buffer.alloc(0);
/** Connections so far, of all doors of the process: their names are told apart by it. */
let taken = 0;

/** Loads the gRPC library, which costs memory, so call this when the first such client has come. */
export async function createGrpcDoor(
  intake: Intake,
  { maxGrpcMessageBytes }: Limits,
  stopping: AbortSignal,
  log: Log,
): Promise<GrpcDoor> {
  const grpc = await import("@grpc/grpc-js");
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maxGrpcMessageBytes,
    "grpc.max_concurrent_streams": maxStreams,
    // A peer that has gone without a word is found out.
    "grpc.keepalive_time_ms": keepAliveMs,
    "grpc.keepalive_timeout_ms": keepAliveAnswerMs,
    // The registry for debugging keeps an entry for every call and connection.
    "grpc.enable_channelz": 0,
  });
  const guests = new Map<string, Guest>();
  const handle: handleUnaryCall<Buffer, Buffer> = (call, respond) => {
    const guest = guests.get(call.getPeer());
    if (guest === undefined) respond({ code: unavailable, details: "connection is over" });
    else void answer(intake, guest, call.request, respond, stopping);
  };
  server.register(exportPath, handle, asIs, asIs, "unary");
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const stopCounting = countArriving(
    (peer) => guests.get(peer),
    (error) => intake.refusalOf(error, "otlp-grpc", 0),
  );
  return {
    take(socket, guest) {
      // The library asks the socket who calls; a name of ours leads back to the guest.
      const name = `connection-${++taken}`;
      guests.set(name, guest);
      sockets.add(socket);
      socket.on("error", (error) =>
        log.debug({ origin: guest.origin.key, err: error.message }, "connection broke"),
      );
      socket.once("close", () => {
        guests.delete(name);
        sockets.delete(socket);
      });
      socket.once("end", () => socket.destroy());
      Object.defineProperty(socket, "remoteAddress", { value: name });
      Object.defineProperty(socket, "remotePort", { value: undefined });
      injector.injectConnection(socket);
    },
    async close(limitMs) {
      const closed = Promise.all(
        [...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))),
      );
      const timer = setTimeout(() => {
        server.forceShutdown();
        for (const socket of sockets) socket.destroy();
      }, limitMs);
      server.tryShutdown(() => {});
      await closed;
      clearTimeout(timer);
      stopCounting();
    },
  };
}

const asIs = (bytes: Buffer): Buffer => bytes;

async function answer(
  intake: Intake,
  guest: Guest,
  body: Buffer,
  respond: sendUnaryData<Buffer>,
  stopping: AbortSignal,
): Promise<void> {
  try {
    guest.take(body.length);
  } catch (error) {
    freeBytes(body);
    return refuse(respond, intake.refusalOf(error, "otlp-grpc", 0));
  }
  try {
    await guest.pace(stopping);
    guest.spend(body.length);
    await intake.take(guest, "otlp-grpc", body);
    respond(null, emptyAnswer);
  } catch (error) {
    refuse(respond, error instanceof Refusal ? error : new Refusal(503, "ending"));
  } finally {
    guest.give(body.length);
    freeBytes(body);
  }
}

function refuse(respond: sendUnaryData<Buffer>, { status, message }: Refusal): void {
  respond({ code: codes.get(status) ?? invalidArgument, details: message });
}
