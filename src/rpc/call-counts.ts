import { Code } from "../base/code.ts";
import type { MethodDescriptor } from "../gen/methods.ts";

/** How the calls of one method have ended, and how many are under way. */
export class MethodCounts {
  /** Calls that somebody works on, also those that nobody waits for any more. */
  running = 0;
  /** Ended calls by status code. */
  readonly ended: number[] = new Array(Code.unauthenticated + 1).fill(0);

  begin(): void {
    this.running++;
  }

  /** Ends one that has begun. */
  end(code: Code): void {
    this.running--;
    this.refuse(code);
  }

  /** Counts one that never began. */
  refuse(code: Code): void {
    // In range: a code is one of the list's.
    (this.ended[code] as number)++;
  }
}

/** The books of all calls. The route of a method holds its counts, so that a call finds them without a look-up. */
export class CallCounts {
  readonly #methods = new Map<MethodDescriptor, MethodCounts>();

  /** Where the calls of `method` are counted. */
  of(method: MethodDescriptor): MethodCounts {
    const known = this.#methods.get(method);
    if (known !== undefined) return known;
    const counts = new MethodCounts();
    this.#methods.set(method, counts);
    return counts;
  }

  all(): Iterable<[MethodDescriptor, MethodCounts]> {
    return this.#methods;
  }
}
