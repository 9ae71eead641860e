import { AsyncLocalStorage } from "node:async_hooks";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { WorkloadRelay } from "../service/workload.ts";
import type { Relayed } from "../trace/relayed.ts";
import type { RelayServer } from "./relay-server.ts";

/** The sockets of all containers that have one. The server's code is loaded with the first. */
export class WorkloadRelays implements WorkloadRelay {
  readonly #folder: string;
  readonly #forward: (relayed: Relayed) => boolean;
  readonly #log: Log;
  readonly #open = new Map<ContainerId, RelayServer>();
  readonly #counts: Record<string, number> = {};
  /** Where sockets are opened, so that what comes by them is no part of the call that opened them. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #serial = 0;

  /** `folder`: the agent's own, for the sockets. `forward`: false when there is no room. */
  constructor(folder: string, forward: (relayed: Relayed) => boolean, log: Log) {
    this.#folder = folder;
    this.#forward = forward;
    this.#log = log;
  }

  async open(id: ContainerId): Promise<string> {
    const { serveRelay } = await import("./relay-server.ts");
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#serial += 1;
    const path = join(this.#folder, `${this.#serial}.sock`);
    const count = (result: string) => {
      this.#counts[result] = (this.#counts[result] ?? 0) + 1;
    };
    const parts = { forward: this.#forward, count, log: this.#log.child({ container: id }) };
    this.#open.set(id, await this.#outside(() => serveRelay(path, parts)));
    return path;
  }

  async close(id: ContainerId): Promise<void> {
    const server = this.#open.get(id);
    this.#open.delete(id);
    await server?.close();
  }

  counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }
}
