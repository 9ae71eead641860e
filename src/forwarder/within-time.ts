import { type Context, createContext, Script } from "node:vm";

/** Work that took too long, or too much memory, and was cut off in the middle. */
export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

const call = new Script("work()");
let context: Context | undefined;

/**
 * Gives what `work` does, unless that takes too long: then it is cut off wherever it is, so that it must not change
 * anything but what is its own. For regular expressions, which may never come to an end over a text that was made for it.
 * To begin takes a thread, a tenth of a millisecond or more. Not to be called within itself.
 * @throws TookTooLong; what the work throws.
 */
export function withinTime<T>(limitMs: number, work: () => T): T {
  context ??= createContext({ work: undefined });
  let result: { value: T } | undefined;
  context["work"] = () => {
    result = { value: work() };
  };
  try {
    call.runInContext(context, { timeout: limitMs });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT")
      throw new TookTooLong("it took too long");
    throw error;
  } finally {
    context["work"] = undefined;
  }
  if (result === undefined) throw new Error("the work was not done");
  return result.value;
}
