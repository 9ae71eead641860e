import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { ReadStreamResponse } from "../gen/agent.ts";
import type { MethodDescriptor } from "../gen/methods.ts";
import type { Call, Handler, Interceptor } from "../rpc/call.ts";
import type { Policy } from "../sandbox/policy.ts";
import { startSpan } from "../trace/span.ts";
import { policyInput } from "./policy-input.ts";

/**
 * Asks the policy about every call before anything is done for it; Health is never asked about. What is read from a
 * process comes back empty when it may not be read (agent-api 8).
 * Answers PERMISSION_DENIED or INTERNAL as `Policy.check` says.
 */
export function policyInterceptor(policy: Policy): Interceptor {
  return (next) => (call) => {
    if (!policy.inForce || call.method.service === "grpc.Health") return next(call);
    if (policyName(call.method) === "ReadStreamRequest") return redacted(policy, next, call);
    return checked(policy, next, call);
  };
}

/** The name that policies know a request by: that of its message. */
function policyName({ requestType }: MethodDescriptor): string {
  return requestType.name.slice(requestType.name.lastIndexOf(".") + 1);
}

async function checked(policy: Policy, next: Handler, call: Call): Promise<object> {
  check(policy, call);
  return next(call);
}

/** The read is made all the same: a process whose output nobody takes would stop. */
async function redacted(policy: Policy, next: Handler, call: Call): Promise<object> {
  let allowed = true;
  try {
    check(policy, call);
  } catch {
    allowed = false;
  }
  const reply = await next(call);
  return allowed ? reply : { ...(reply as ReadStreamResponse), data: new Uint8Array(0) };
}

function check(policy: Policy, call: Call): void {
  using live = startSpan("policy", {});
  try {
    policy.check(policyName(call.method), input(call));
  } catch (error) {
    live.end(error);
    throw error;
  }
}

function input({ method, request }: Call): string {
  try {
    return policyInput(method.requestType, request);
  } catch {
    throw new AgentError(Code.internal, `${policyName(method)}: the request has no form for the policy`);
  }
}
