/** The option about the policy of the guest (agent-api 2.3, 2.4, 8). */
import { text } from "./option-readers.ts";
import type { OptionTable } from "./option-row.ts";

/** Values of the group. */
export type PolicyOptions = Readonly<{
  /** File with the policy to begin with; empty = the default file, if there is one. */
  policyFile: string;
}>;

/** The group's rows. The kernel's command line is no way to choose a policy, since a host writes it. */
export const policyOptions: OptionTable<PolicyOptions> = {
  policyFile: { file: "policy_file", env: "KATA_AGENT_POLICY_FILE", read: text, fallback: "" },
};
