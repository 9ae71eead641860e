import type { MethodDescriptor } from "../gen/methods.ts";
import type { Handler } from "./call.ts";
import type { MethodCounts } from "./call-counts.ts";

/** A method with its handler, all interceptors around it, and what has come of its calls. */
export type Route = {
  readonly method: MethodDescriptor;
  readonly handler: Handler;
  /** For a call whose time was up when it came: only the outermost interceptor hears of it. */
  readonly late: Handler;
  readonly counts: MethodCounts;
};
