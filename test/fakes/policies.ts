import { hasPolicyEngine } from "../../src/sys/policy-engine.ts";

/** For tests that need Rego evaluated: the engine is built only where cargo is. */
export const needsEngine = { skip: hasPolicyEngine() ? false : "the policy engine was not built" } as const;

const requests = [
  "AddARPNeighborsRequest",
  "AddSwapPathRequest",
  "CloseStdinRequest",
  "CopyFileRequest",
  "CreateContainerRequest",
  "CreateSandboxRequest",
  "DestroySandboxRequest",
  "ExecProcessRequest",
  "GetMetricsRequest",
  "GetOOMEventRequest",
  "GuestDetailsRequest",
  "ListInterfacesRequest",
  "ReadStreamRequest",
  "RemoveContainerRequest",
  "SetPolicyRequest",
  "SignalProcessRequest",
  "StartContainerRequest",
  "StatsContainerRequest",
  "UpdateContainerRequest",
  "WaitProcessRequest",
  "WriteStreamRequest",
];

/** A policy that allows everything but what `rules` say; a rule whose text begins with a request's name is for it. */
export function policyWith(...rules: string[]): string {
  const allowed = requests.filter((name) => !rules.some((rule) => rule.includes(`${name} `)));
  return ["package agent_policy", ...allowed.map((name) => `default ${name} := true`), ...rules, ""].join(
    "\n",
  );
}
