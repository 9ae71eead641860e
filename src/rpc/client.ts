import type { Input } from "../gen/message-type.ts";
import type { MethodDescriptor } from "../gen/methods.ts";

/** What a caller may say about one call. */
export type CallOptions = {
  /** Sent with the request, in this order. */
  readonly metadata?: Iterable<readonly [key: string, value: string]>;
  /** The call fails with DEADLINE_EXCEEDED after so long; the server is told as well. Default: no limit. */
  readonly timeoutMs?: number;
  /** Gives the call up; the promise rejects with the reason of the signal. The server is not told by ttRPC. */
  readonly signal?: AbortSignal;
};

/** Calls methods of a server, whatever the protocol. */
export type Client = AsyncDisposable & {
  /**
   * Makes one call.
   * @throws AgentError with the code and text of the server's status; DEADLINE_EXCEEDED when `timeoutMs` has passed;
   *   UNAVAILABLE when the connection is or gets lost; RESOURCE_EXHAUSTED when the request is over 4 MiB.
   */
  call<Request extends object, Response extends object>(
    method: MethodDescriptor<Request, Response>,
    request: Input<NoInfer<Request>>,
    options?: CallOptions,
  ): Promise<Response>;
  /** Ends the connection; calls without an answer reject with UNAVAILABLE. Safe to repeat. */
  close(): Promise<void>;
};

/** The methods of a service as functions. */
export type ClientOf<Methods extends Record<string, MethodDescriptor>> = {
  readonly [Name in keyof Methods]: Methods[Name] extends MethodDescriptor<infer Request, infer Response>
    ? (request: Input<Request>, options?: CallOptions) => Promise<Response>
    : never;
};

/** A typed client: `clientOf(client, AgentServiceMethods).CreateContainer({ container_id: "c1" })`. */
export function clientOf<Methods extends Record<string, MethodDescriptor>>(
  client: Client,
  methods: Methods,
): ClientOf<Methods> {
  const calls = Object.entries(methods).map(([name, method]) => [
    name,
    (request: object, options?: CallOptions) => client.call(method, request, options),
  ]);
  return Object.fromEntries(calls) as ClientOf<Methods>;
}
