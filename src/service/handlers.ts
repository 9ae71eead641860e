import { AgentServiceMethods, HealthMethods, TraceControlMethods } from "../gen/methods.ts";
import type { Handlers } from "../rpc/call.ts";
import { handlersOf } from "../rpc/handlers.ts";
import { containerCalls } from "./container.ts";
import { guestCalls } from "./guest.ts";
import { healthService } from "./health.ts";
import { memAgentCalls } from "./mem-agent.ts";
import { metricsCalls } from "./metrics.ts";
import { networkCalls } from "./network.ts";
import { policyCalls } from "./policy.ts";
import { processCalls } from "./process.ts";
import type { Rooms } from "./rooms.ts";
import { sandboxCalls } from "./sandbox.ts";
import { traceControl, tracingCalls } from "./tracing.ts";

/** Everything the agent answers, by method. A method of the schema that is not here answers UNIMPLEMENTED. */
export function agentHandlers(rooms: Rooms): Handlers {
  const agent = {
    ...sandboxCalls(rooms),
    ...containerCalls(rooms),
    ...processCalls(rooms),
    ...guestCalls(rooms),
    ...networkCalls(rooms),
    ...metricsCalls(rooms),
    ...tracingCalls(rooms),
    ...policyCalls(rooms),
    ...memAgentCalls(rooms),
  };
  return new Map([
    ...handlersOf(AgentServiceMethods, agent),
    ...handlersOf(HealthMethods, healthService(rooms.agentVersion)),
    ...handlersOf(TraceControlMethods, traceControl(rooms)),
  ]);
}
