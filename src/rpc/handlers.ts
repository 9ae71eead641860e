import type { MethodDescriptor } from "../gen/methods.ts";
import type { Call, Handler } from "./call.ts";

/** Handlers by method name, such as `Partial<AgentService<Call>>`; those left out are not implemented. */
export type ServiceShape<Methods extends Record<string, MethodDescriptor>> = {
  readonly [Name in keyof Methods]?: Methods[Name] extends MethodDescriptor<infer Request, infer Response>
    ? (request: Request, call: Call) => Promise<Response>
    : never;
};

/**
 * Typed handlers of one service as entries of `Handlers`:
 * `new Map([...handlersOf(AgentServiceMethods, agent), ...handlersOf(HealthMethods, health)])`.
 */
export function handlersOf<Methods extends Record<string, MethodDescriptor>>(
  methods: Methods,
  service: ServiceShape<Methods>,
): [MethodDescriptor, Handler][] {
  const entries: [MethodDescriptor, Handler][] = [];
  for (const [name, method] of Object.entries(methods)) {
    const handle = service[name] as ((request: object, call: Call) => Promise<object>) | undefined;
    // The dispatcher has decoded the request with the type of this very method.
    if (handle !== undefined) entries.push([method, (call) => handle.call(service, call.request, call)]);
  }
  return entries;
}
