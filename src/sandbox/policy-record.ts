import { closeSync, constants, openSync, writeSync } from "node:fs";

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
 * requests hold, so it is kept at log level debug only. Ends at 16 MiB.
 */
export class PolicyRecord {
  #fd: number | undefined;
  #left = maxBytes;

  /** Begins the file anew. @throws what open(2) says. */
  constructor(path: string) {
    this.#fd = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0o600);
  }

  /** `request` is a JSON document. A file that takes no more ends the record, and nothing else. */
  append(name: string, request: string): void {
    if (this.#fd === undefined || leftOut.has(name)) return;
    const line = Buffer.from(`{"kind":"${name}","request":${request}}\n`);
    this.#left -= line.length;
    try {
      if (this.#left >= 0) writeSync(this.#fd, line);
      else this.close();
    } catch {
      this.close();
    }
  }

  /** Safe to repeat. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
