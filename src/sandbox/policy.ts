/**
 * The policy of the guest (agent-api 8): which calls it answers.
 *
 * Without a policy everything is allowed. Checks are synchronous, so that what one call changes in the policy's state
 * is seen by the next, in the order of their arrival, and nothing happens between a check and the work it allows.
 */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { Log } from "../base/log.ts";
import { hasPolicyEngine, policyEngine } from "../sys/policy-engine.ts";
import { policyComplaint } from "./policy-complaint.ts";
import type { PolicyRecord } from "./policy-record.ts";

/** The policy in force, if there is one. */
export class Policy {
  readonly #log: Log;
  readonly #record: PolicyRecord | undefined;
  #inForce = false;
  /** Denials and missing rules are let through, for whoever writes a policy. */
  #tolerant = false;

  constructor(log: Log, record?: PolicyRecord) {
    this.#log = log;
    this.#record = record;
  }

  /** Whether this build can have a policy at all. */
  get available(): boolean {
    return hasPolicyEngine();
  }

  /** Whether calls are checked. */
  get inForce(): boolean {
    return this.#inForce;
  }

  /**
   * Puts a policy in force, as a whole: the state of the one before is lost. Nobody is asked; SetPolicy has been.
   * @throws NOT_FOUND in a build without policies; INVALID_ARGUMENT when the text is none: the one before then stays.
   */
  replace(text: string): void {
    if (!this.available) throw new AgentError(Code.notFound, "this build of the agent has no policy engine");
    const engine = policyEngine();
    try {
      engine.load(text);
    } catch (error) {
      throw new AgentError(Code.invalidArgument, `policy: ${policyComplaint(error)}`);
    }
    this.#inForce = true;
    this.#tolerant = isTolerant();
    this.#log.info({ tolerant: this.#tolerant }, "policy is in force");
    if (this.#tolerant) this.#log.warn({}, "policy lets failing requests through");
  }

  /**
   * Asks about one request: the name of its message and its JSON form.
   * @throws PERMISSION_DENIED with what the policy printed; INTERNAL when it has no rule for it or cannot be evaluated.
   */
  check(name: string, input: string): void {
    this.#record?.append(name, input);
    const { allowed, prints } = this.#ask(name, input);
    if (allowed === true) return;
    if (this.#tolerant) this.#log.warn({ request: name }, "policy would deny the call");
    else if (allowed === false) {
      throw new AgentError(Code.permissionDenied, `${name} is blocked by policy: ${prints}`);
    } else throw new AgentError(Code.internal, `${name}: the policy has no rule for it`);
  }

  #ask(name: string, input: string): { allowed?: boolean; prints: string } {
    try {
      return policyEngine().check(name, input);
    } catch (error) {
      this.#log.debug({ request: name, complaint: policyComplaint(error) }, "policy was not evaluated");
      throw new AgentError(Code.internal, `${name}: the policy could not be evaluated`);
    }
  }
}

function isTolerant(): boolean {
  try {
    return policyEngine().check("AllowRequestsFailingPolicy", "{}").allowed === true;
  } catch {
    return false;
  }
}
