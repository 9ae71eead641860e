/**
 * Primer. A child is followed by a pidfd: it names this one process for good, becomes readable when the process has
 * ended, and a signal through it can never hit a process that got the same number later.
 *
 * Every child followed here stands in one table for the whole process, because being somebody's child is a fact about
 * the process: whoever looks at "any child that ended" must know which of them have an owner.
 */
import type { Exit } from "../base/exit.ts";
import type { Pid } from "../base/ids.ts";
import { Descriptor } from "./descriptor.ts";
import { kernel } from "./kernel.ts";
import { exitOf, waitAnyKind, waitExited, waitNoHang, waitPidfd } from "./wait-child.ts";

/** A process we wait for. */
export type Child = {
  readonly pid: Pid;
  /**
   * How it ended. Never rejects. A process that somebody else has waited for, so that nobody can tell, counts as
   * exited with 255.
   */
  readonly exited: Promise<Exit>;
  /** Sends a signal. False: it has ended already. @throws EPERM, EINVAL for a signal that does not exist. */
  signal(signal: number): boolean;
};

const followed = new Map<number, FollowedChild>();
const unknownExit: Exit = { how: "exited", code: 255 };
/** A zombie whose parent is about to hand it to us tells nothing when it arrives here, so we look again. */
const retryMs = 10;

class FollowedChild implements Child {
  readonly pid: Pid;
  readonly exited: Promise<Exit>;
  readonly #pidfd: Descriptor;
  readonly #resolve: (exit: Exit) => void;

  constructor(pid: Pid, pidfd: number) {
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.pid = pid;
    this.exited = promise;
    this.#resolve = resolve;
    this.#pidfd = new Descriptor(pidfd);
    this.#pidfd.onReadable(() => this.collect());
  }

  signal(signal: number): boolean {
    if (this.#pidfd.closed) return false;
    try {
      kernel.signalPidfd(this.#pidfd.fd, signal);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
      throw error;
    }
  }

  /** Takes the status if the process has ended and is our child; true when it was taken. */
  collect(): boolean {
    if (this.#pidfd.closed) return false;
    try {
      const waited = kernel.waitChild(waitPidfd, this.#pidfd.fd, waitExited | waitNoHang | waitAnyKind);
      if (waited === null) return false;
      this.#finish(exitOf(waited));
      return true;
    } catch {
      this.#notOurs();
      return false;
    }
  }

  /** It has ended, but its parent is another one: one that will pass it on to us, or that has waited for it itself. */
  #notOurs(): void {
    if (this.signal(0)) {
      this.#pidfd.onReadable(undefined);
      setTimeout(() => this.#pidfd.onReadable(() => this.collect()), retryMs);
    } else {
      this.#finish(unknownExit);
    }
  }

  #finish(exit: Exit): void {
    if (followed.get(this.pid) === this) followed.delete(this.pid);
    this.#pidfd.close();
    this.#resolve(exit);
  }
}

/** Follows a new process by its pidfd, which it owns from now on. */
export function followChild(pid: Pid, pidfd: number): Child {
  const child = new FollowedChild(pid, pidfd);
  followed.set(pid, child);
  return child;
}

/**
 * Follows a process that exists already, as a zombie at least; a second call for the same one gives the first's answer.
 * @throws ESRCH when there is none.
 */
export function followExisting(pid: Pid): Child {
  const known = followed.get(pid);
  return known?.signal(0) ? known : followChild(pid, kernel.openPidfd(pid));
}

/** Takes the status of a zombie if we follow it: `unknown` = we do not, `left` = it is another process by now. */
export function collectFollowed(zombie: number): "taken" | "left" | "unknown" {
  const child = followed.get(zombie);
  if (child === undefined) return "unknown";
  return child.collect() ? "taken" : "left";
}
