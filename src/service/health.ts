import type { HealthCheckResponse, VersionCheckResponse } from "../gen/health.ts";
import type { Health } from "../gen/methods.ts";
import type { Call } from "../rpc/call.ts";

/** API version text that the reference answers (agent-api 3.36). */
const apiVersion = "0.0.1";
const serving: HealthCheckResponse = { status: 1 };

/** The health service: answers at once, whatever else is going on (agent-api 3.36). */
export function healthService(agentVersion: string): Health<Call> {
  const version: VersionCheckResponse = { grpc_version: apiVersion, agent_version: agentVersion };
  return {
    Check: () => Promise.resolve(serving),
    Version: () => Promise.resolve(version),
  };
}
