/** The call that replaces the policy. */
import type { AgentService } from "../gen/methods.ts";
import type { Call } from "../rpc/call.ts";
import type { Rooms } from "./rooms.ts";

/** SetPolicy (agent-api 3.33, 8). Whether it may be called has been asked of the policy in force. */
export function policyCalls({ policy }: Rooms): Pick<AgentService<Call>, "SetPolicy"> {
  return {
    async SetPolicy(request) {
      policy.replace(request.policy);
      return {};
    },
  };
}
