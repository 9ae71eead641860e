/**
 * Follows the logs of guests with AF_VSOCK, such as those of QEMU.
 *
 * Primer. The agent listens on its log port, and there is no socket on the host to watch for. But whoever sends spans is
 * known by its context id (CID), which the kernel vouches for, and can be dialled back; others may be listed. A CID is a
 * guest's for as long as its VM runs, and may be another one's later. The kernel says when no VM has it (ENODEV): the
 * guest is gone then, and whoever comes with that CID is another one, told apart by when it was first seen.
 */
import { delay } from "../base/deadline.ts";
import { type Address, anyCid, firstGuestCid } from "../vsock/address.ts";
import type { Followed, GuestLogs } from "./guest-logs.ts";
import type { IsGone } from "./in/guest-log.ts";

/** How guests are reached by their CID. */
export type VsockReach = {
  /** Where the guest's log is; undefined for a CID that is no guest's. */
  addressOf(cid: number, port: number): Address | undefined;
  readonly isGone: IsGone;
};

/** Longer than any boot: a guest that has not answered for so long is asked again when it has sent something. */
const patienceMs = 600_000;
/** Between two guests that have a listed CID one after the other. */
const listedPauseMs = 10_000;

/** By the kernel. A peer that is not a guest, such as a process of this machine, is left alone. */
export const kernelReach: VsockReach = {
  addressOf: (cid, port) =>
    cid >= firstGuestCid && cid !== anyCid ? { kind: "vsock", cid, port } : undefined,
  isGone: (error, silentMs) => (error as NodeJS.ErrnoException).code === "ENODEV" || silentMs > patienceMs,
};

/** One log for each guest that has come over AF_VSOCK or is listed. */
export class VsockLogs {
  readonly #logs: GuestLogs;
  readonly #reach: VsockReach;
  readonly #ending = new AbortController();
  readonly #followed = new Map<number, Followed>();

  /** `known`: guests that were seen before, and may not connect again. */
  constructor(logs: GuestLogs, reach: VsockReach = kernelReach, known: readonly number[] = []) {
    this.#logs = logs;
    this.#reach = reach;
    for (const cid of new Set(logs.config.cids)) void this.#attend(cid);
    for (const cid of known) this.seen(cid);
  }

  /** Guests that are followed now. */
  get cids(): readonly number[] {
    return [...this.#followed.keys()];
  }

  /** A connection from this CID has come. */
  seen(cid: number): void {
    if (this.#ending.signal.aborted || this.#followed.has(cid)) return;
    const address = this.#reach.addressOf(cid, this.#logs.config.port);
    if (address === undefined) return;
    const origin = { sandbox: `vsock:${cid}`, guest_since: new Date().toISOString() };
    const followed = this.#logs.follow(address, origin, this.#reach.isGone);
    this.#followed.set(cid, followed);
    void followed.ended.then(() => this.#followed.delete(cid));
  }

  /** Safe to repeat. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all([...this.#followed.values()].map((followed) => followed.close()));
  }

  /** Follows whichever guest has this CID, one after the other, until all is closed. */
  async #attend(cid: number): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.seen(cid);
      await this.#followed.get(cid)?.ended;
      await delay(listedPauseMs, signal).catch(() => undefined);
    }
  }
}
