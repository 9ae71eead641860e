import { closeSync, constants, openSync, writeSync } from "node:fs";
import { AgentError } from "../base/agent-error.ts";
import type { Log } from "../base/log.ts";

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;
/** It lies in the guest's memory. */
const maxBytes = 16 * 1024 * 1024;
/** Too many, or too long, to be of use (agent-api 8). */
const leftOut: ReadonlySet<string> = new Set([
  "StatsContainerRequest",
  "ReadStreamRequest",
  "SetPolicyRequest",
]);

/**
 * Every checked request as a line of JSON, `{"kind":NAME,"request":{…}}`, for whoever writes a policy. It holds all that
 * requests hold, so it is kept at log level debug only. Begun anew with the first request; ends at 16 MiB.
 */
export class PolicyRecord {
  readonly #path: string;
  readonly #log: Log;
  #fd: number | undefined;
  #left = maxBytes;
  #ended = false;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** `request` is a JSON document. A file that takes no more ends the record, and nothing else. */
  append(name: string, request: string): void {
    if (this.#ended || leftOut.has(name)) return;
    const line = Buffer.from(`{"kind":"${name}","request":${request}}\n`);
    this.#left -= line.length;
    try {
      this.#fd ??= openSync(this.#path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0o600);
      if (this.#left >= 0) writeSync(this.#fd, line);
      else this.close();
    } catch (error) {
      this.#log.warn({ error: AgentError.from(error).message }, "requests are not recorded any more");
      this.close();
    }
  }

  /** Safe to repeat. */
  close(): void {
    this.#ended = true;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
