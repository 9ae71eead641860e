import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The native module that evaluates Rego (src/sys/policy-engine). It holds one policy, that of the guest, and what the
 * policy remembers. Both functions run to their end before anything else does.
 */
export type PolicyEngine = {
  /** Puts a policy in force. @throws Error with line and column; the one before stays in force. */
  load(text: string): void;
  /**
   * Asks the rule `data.agent_policy.<name>` about `input`, a JSON document; `allowed` is absent when the policy has no
   * such rule. `prints` is what its rules printed, at most 4 KiB.
   * @throws Error when it cannot be evaluated, in five seconds at the latest.
   */
  check(name: string, input: string): { allowed?: boolean; prints: string };
};

/** Beside the bundled program, or in the build folder of the sources. */
const places = [
  join(import.meta.dirname, "policy.node"),
  join(import.meta.dirname, "../../build/lib/policy.node"),
];
let loaded: PolicyEngine | undefined;

/** Whether this build has the module: it is made only where cargo is. */
export function hasPolicyEngine(): boolean {
  return places.some((path) => existsSync(path));
}

/** The module, loaded at the first use: most guests have no policy. @throws Error when it is not there. */
export function policyEngine(): PolicyEngine {
  loaded ??= load(places.find((path) => existsSync(path)) ?? "policy.node");
  return loaded;
}

function load(path: string): PolicyEngine {
  const holder = { exports: {} };
  process.dlopen(holder, path);
  return holder.exports as PolicyEngine;
}
