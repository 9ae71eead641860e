import type { Socket } from "node:net";
import type { handleUnaryCall, Metadata, Server, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import { AgentError } from "../../base/agent-error.ts";
import { Code } from "../../base/code.ts";
import type { Log } from "../../base/log.ts";
import { encodeMessage } from "../../wire/protobuf-encode.ts";
import { maxFrameBytes } from "../../wire/ttrpc-frame.ts";
import { type Dispatcher, decodeRequest } from "../dispatch.ts";
import { errorHeaderText } from "../error-text.ts";
import { LiveCall, type Reply } from "../live-call.ts";
import type { Route } from "../route.ts";
import { metadataPairs } from "./metadata.ts";

/** A gRPC server that listens on nothing: it is given its connections. */
export type GrpcServer = {
  /** Serves the connection, and owns the socket from now on. `peer` is what calls say about their origin. */
  take(socket: Socket, peer?: string): void;
  /** Takes no new calls, lets the running ones finish within `graceMs`, then cuts the connections. Safe to repeat. */
  close(graceMs?: number): Promise<void>;
};

/**
 * Loads the gRPC library, which costs memory and time, so call this when the first gRPC client has come.
 * The library does HTTP/2; messages pass through it as bytes, and calls run through the same dispatcher as ttRPC ones.
 * A method that is not in the schema is refused by the library itself, with UNIMPLEMENTED as well.
 */
export async function createGrpcServer(dispatcher: Dispatcher, log: Log): Promise<GrpcServer> {
  const grpc = await import("@grpc/grpc-js");
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maxFrameBytes,
    "grpc.max_send_message_length": maxFrameBytes,
    // The registry for debugging keeps an entry for every call and connection.
    "grpc.enable_channelz": 0,
    interceptors: [
      (_method, call) => {
        const atHead = new grpc.ServerListenerBuilder().withOnReceiveMetadata((metadata, next) => {
          headAtMs.set(metadata, performance.now());
          next(metadata);
        });
        return new grpc.ServerInterceptingCall(call, { start: (next) => next(atHead.build()) });
      },
    ],
  });
  for (const route of dispatcher.routes) {
    server.register(`/${route.method.path}`, handle(route, dispatcher), asIs, asIs, "unary");
  }
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  let closing: Promise<void> | undefined;
  return {
    take(socket, peer = "unknown") {
      socket.on("error", (error) => log.debug({ peer, err: error }, "connection broke"));
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      // A socket may stay open after its peer has sent its last byte, but HTTP/2 has no use for one half.
      socket.once("end", () => socket.destroy());
      // The library asks the socket where a call comes from, and other sockets than TCP ones have no answer.
      Object.defineProperty(socket, "remoteAddress", { value: peer });
      Object.defineProperty(socket, "remotePort", { value: undefined });
      injector.injectConnection(socket);
    },
    close(graceMs = 0) {
      closing ??= shutDown(server, sockets, graceMs);
      return closing;
    },
  };
}

/** When the head of a request came; the body may take its time. */
const headAtMs = new WeakMap<Metadata, number>();

const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * The library tells the clients to start nothing new, and each connection ends with its last call. It says that it is
 * done before that has happened, so the sockets themselves are waited for.
 */
async function shutDown(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = Promise.all(
    [...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))),
  );
  const timer = setTimeout(() => {
    server.forceShutdown();
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  server.tryShutdown(() => {});
  await closed;
  clearTimeout(timer);
}

function handle(route: Route, dispatcher: Dispatcher): handleUnaryCall<Buffer, Buffer> {
  return (grpcCall, respond) => {
    const receivedAtMs = headAtMs.get(grpcCall.metadata) ?? performance.now();
    try {
      const { request } = grpcCall;
      const message = decodeRequest(route, request, { from: 0, to: request.length }, true);
      const call = new LiveCall(route, message, {
        metadata: metadataPairs(grpcCall.metadata),
        protocol: "grpc",
        peer: grpcCall.getPeer(),
        receivedAtMs,
        id: 0,
      });
      grpcCall.on("cancelled", () => call.abort(cancelReason(grpcCall)));
      dispatcher.run(call, timeLeftMs(grpcCall), replyWith(respond));
    } catch (thrown) {
      refuse(respond, AgentError.from(thrown));
    }
  };
}

function replyWith(respond: sendUnaryData<Buffer>): Reply {
  return {
    answer(call, message) {
      try {
        const bytes = encodeMessage(call.method.responseType, message);
        if (bytes.length > maxFrameBytes) {
          throw new AgentError(Code.invalidArgument, `answer exceeds ${maxFrameBytes} bytes`);
        }
        respond(null, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      } catch (thrown) {
        refuse(respond, AgentError.from(thrown));
      }
      // The library does not tell when it has written.
      call.written();
    },
    fail(call, error) {
      refuse(respond, error);
      call.written();
    },
  };
}

function refuse(respond: sendUnaryData<Buffer>, error: AgentError): void {
  respond({ code: error.code, details: errorHeaderText(error.message) });
}

function timeLeftMs(call: ServerUnaryCall<Buffer, Buffer>): number | undefined {
  const due = call.getDeadline();
  if (due === Number.POSITIVE_INFINITY) return undefined;
  return (due instanceof Date ? due.getTime() : due) - Date.now();
}

/** The library cancels a call at its deadline by itself, perhaps a moment before our own timer. */
function cancelReason(call: ServerUnaryCall<Buffer, Buffer>): AgentError {
  const leftMs = timeLeftMs(call);
  if (leftMs !== undefined && leftMs <= 0) return new AgentError(Code.deadlineExceeded, "timeout");
  return new AgentError(Code.cancelled, "the call was cancelled");
}
