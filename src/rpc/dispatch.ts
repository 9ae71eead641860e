import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { allMethods } from "../gen/methods.ts";
import { decodeMessage } from "../wire/protobuf-decode.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Handler, Handlers, Interceptor } from "./call.ts";
import { CallCounts } from "./call-counts.ts";
import { Deadlines, expire } from "./deadlines.ts";
import type { LiveCall, Reply } from "./live-call.ts";
import type { Route } from "./route.ts";
import { RouteIndex } from "./route-index.ts";

/**
 * What both protocols do with a call once they have read it. Refusals are the same for both:
 * unknown service, unknown method, and a method of the schema without a handler: UNIMPLEMENTED;
 * a request message that does not decode: INVALID_ARGUMENT; a deadline that has passed: DEADLINE_EXCEEDED.
 */
export type Dispatcher = {
  /** One for every method of the schema. */
  readonly routes: readonly Route[];
  /** The same routes, found by the bytes of their names. */
  readonly index: RouteIndex;
  /**
   * Runs a call. `timeoutMs`: time left; undefined = no deadline, 0 or less = passed already.
   * The outcome goes to `reply` at the latest when the deadline passes, and never if the call was aborted before.
   */
  run(call: LiveCall, timeoutMs: number | undefined, reply: Reply): void;
};

/**
 * Puts the interceptors around every handler, the first one outermost; once per method, not per call. The first one also
 * hears of calls whose deadline had passed when they came, so that a trace has every call. What comes of the
 * calls is counted in `counts`.
 */
export function createDispatcher(
  handlers: Handlers,
  interceptors: readonly Interceptor[] = [],
  counts: CallCounts = new CallCounts(),
): Dispatcher {
  const routes = allMethods.map((method) => ({
    method,
    counts: counts.of(method),
    handler: interceptors.reduceRight((next, wrap) => wrap(next), handlers.get(method) ?? notImplemented),
    late: interceptors[0]?.(tooLate) ?? tooLate,
  }));
  const deadlines = new Deadlines();
  return {
    routes,
    index: new RouteIndex(routes),
    run(call, timeoutMs, reply) {
      if (timeoutMs !== undefined) {
        if (timeoutMs <= 0) {
          call.route.counts.refuse(Code.deadlineExceeded);
          expire(call, reply);
          call.route.late(call).catch(() => {});
          return;
        }
        deadlines.watch(call, timeoutMs, reply);
      }
      answerWith(call, reply);
    },
  };
}

function answerWith(call: LiveCall, reply: Reply): void {
  const { counts, handler } = call.route;
  counts.begin();
  const onError = (thrown: unknown) => {
    const error = AgentError.from(thrown);
    counts.end(call.aborted?.code ?? error.code);
    if (call.settle()) reply.fail(call, error);
  };
  try {
    handler(call).then((message) => {
      counts.end(call.aborted?.code ?? Code.ok);
      if (call.settle()) reply.answer(call, message);
    }, onError);
  } catch (thrown) {
    onError(thrown);
  }
}

const notImplemented: Handler = async (call) => {
  throw new AgentError(Code.unimplemented, `method ${call.method.name}`);
};

const tooLate: Handler = async (call) => {
  throw call.aborted;
};

/** The refusal of a method that is not in the schema. */
export function unknownMethod(service: string, method: string, dispatcher: Dispatcher): AgentError {
  const known = dispatcher.routes.some((route) => route.method.service === service);
  // Names come from the peer and may be as long as a frame.
  return new AgentError(
    Code.unimplemented,
    (known ? `method ${method}` : `service ${service}`).slice(0, 200),
  );
}

/**
 * The request message of a route, from its bytes; `stable` as in `DecodeOptions`. Large byte arrays of it may lie in
 * blocks: a handler that is done with them may give them back.
 * @throws INVALID_ARGUMENT when it does not decode.
 */
export function decodeRequest(
  route: Route,
  bytes: Uint8Array,
  place: { from: number; to: number },
  stable: boolean,
): object {
  const { requestType } = route.method;
  if (place.from === place.to) return requestType.create();
  try {
    return decodeMessage(requestType, bytes, { from: place.from, to: place.to, stable, inBlocks: true });
  } catch (thrown) {
    if (!(thrown instanceof WireError)) throw thrown;
    throw new AgentError(Code.invalidArgument, `${requestType.name}: ${thrown.message}`);
  }
}
