/**
 * Whether the kernel lets crun restrict the devices of a container (agent-api 5.6). On a version 2 tree that takes a BPF
 * program, for which crun also raises its limit of locked memory. The guest's kernel, or the rights of an agent in a
 * sandbox of its own, may not allow it, and only an attempt tells: so the first refusal is the last attempt, and
 * containers run without rules from then on, as they do with the reference.
 */
import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";
import type { OciSpec } from "./oci.ts";

/** What crun complains about when it is the program that it could not load or attach. */
const complaint = /\be?bpf\b|RLIM_MEMLOCK/i;

/** What is known so far about one kernel. */
export class DeviceRules {
  /** For a crun whose containers are never restricted. */
  static readonly none = new DeviceRules(false, undefined);
  readonly #log: Log | undefined;
  #possible: boolean;

  constructor(possible: boolean, log: Log | undefined) {
    this.#possible = possible;
    this.#log = log;
  }

  /** Whether this document restricts its container, as far as is known. */
  restrict(spec: OciSpec): boolean {
    return this.#possible && spec.linux?.resources?.devices !== undefined;
  }

  /** The document as crun gets it: without rules where they cannot be. */
  document(spec: OciSpec): OciSpec {
    if (this.#possible) return spec;
    const { devices: _impossible, ...resources } = spec.linux?.resources ?? {};
    return { ...spec, linux: { ...spec.linux, resources } };
  }

  /** Whether a create failed over its rules, and may be tried once more without: then nobody tries again. */
  refused(error: unknown): boolean {
    const { message } = AgentError.from(error);
    if (!complaint.test(message)) return false;
    if (this.#possible) {
      this.#log?.warn({ error: message }, "devices of containers are not restricted: the kernel refuses it");
    }
    this.#possible = false;
    return true;
  }
}
