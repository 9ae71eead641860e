/**
 * Primer. As PID 1, or as a child subreaper, we become the parent of processes that we did not start. Three kinds of
 * children die here:
 *
 *   - those we follow (spawned or adopted): their pidfd tells, `child.ts` takes them;
 *   - those of Node's own child_process: libuv waits for each by its pid. To take one would lose its status;
 *   - strangers: orphans that nobody will ever ask for. They are taken and forgotten, here.
 *
 * A zombie does not say whose it is. But libuv takes its own in the very turn in which it hears of SIGCHLD. So a
 * zombie is looked at without being taken (WNOWAIT), and only one that is still there after some time *and* a whole
 * turn of the loop, polling included, is a stranger.
 */
import { type Exit, exitStatus } from "../base/exit.ts";
import { type Pid, pid } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { type Child, collectFollowed, followExisting } from "./child.ts";
import { kernel } from "./kernel.ts";
import { startedAtTicks, ticksNow } from "./process-age.ts";
import { exitOf, waitAll, waitAnyKind, waitExited, waitLeave, waitNoHang, waitPid } from "./wait-child.ts";

const secondLookMs = 10;
const peek = waitExited | waitNoHang | waitLeave | waitAnyKind;
const take = waitExited | waitNoHang | waitAnyKind;

/** Any child that has ended, left as it is; undefined when there is none. */
function anyZombie(): number | undefined {
  try {
    return kernel.waitChild(waitAll, 0, peek)?.[0];
  } catch {
    return undefined; // ECHILD: no children at all
  }
}

/** The only place that waits for children which nobody follows. One per process. */
export class Reaper implements Disposable {
  readonly #log: Log;
  /** Since when unknown zombies are expected, the longest first. */
  readonly #holds = new Set<{ sinceTicks: number }>();
  #suspect: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #started = false;
  readonly #onChildSignal = () => this.#look();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Begins to take strangers, also those that are zombies already. Safe to repeat. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    process.on("SIGCHLD", this.#onChildSignal);
    this.#look();
  }

  /** Strangers stay zombies from now on; children that are followed still end as ever. Safe to repeat. */
  close(): void {
    this.#started = false;
    process.off("SIGCHLD", this.#onChildSignal);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Follows a process that is our child, or will be once its parent has gone, though we did not spawn it. It may be a
   * zombie already.
   * @throws ESRCH when there is no such process (any more).
   */
  adopt(processId: Pid): Child {
    return followExisting(processId);
  }

  /**
   * While held, an unknown zombie is left alone if it was started since: it may be a process whose pid we have yet to
   * learn. Older ones are taken, so that holds that overlap for ever do not keep all strangers.
   */
  expect(): Disposable {
    const hold = { sinceTicks: ticksNow() };
    this.#holds.add(hold);
    return {
      [Symbol.dispose]: () => {
        if (this.#holds.delete(hold)) this.#look();
      },
    };
  }

  /** First look: followed ones are taken at once, an unknown one becomes the suspect. */
  #look(): void {
    if (!this.#started || this.#timer !== undefined) return;
    this.#suspect = this.#nextUnknown();
    if (this.#suspect === undefined || this.#isExpected(this.#suspect)) return;
    // The immediate comes after the poll phase of that turn, in which libuv hears of its own children.
    this.#timer = setTimeout(() => setImmediate(() => this.#lookAgain()), secondLookMs);
    this.#timer.unref();
  }

  #lookAgain(): void {
    this.#timer = undefined;
    if (!this.#started) return;
    const still = this.#nextUnknown();
    if (still !== undefined && still === this.#suspect && !this.#isExpected(still)) this.#bury(still);
    this.#look();
  }

  #isExpected(zombie: number): boolean {
    const [oldest] = this.#holds;
    return oldest !== undefined && (startedAtTicks(zombie) ?? 0) >= oldest.sinceTicks;
  }

  #nextUnknown(): number | undefined {
    for (;;) {
      const zombie = anyZombie();
      if (zombie === undefined) return undefined;
      const outcome = collectFollowed(zombie);
      if (outcome !== "taken") return outcome === "unknown" ? zombie : undefined;
    }
  }

  #bury(zombie: number): void {
    const waited = kernel.waitChild(waitPid, zombie, take);
    if (waited === null) return;
    const exit: Exit = exitOf(waited);
    this.#log.debug({ pid: pid(zombie), status: exitStatus(exit) }, "reaped an orphan");
  }
}
