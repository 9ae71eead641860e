import type { MethodDescriptor } from "../gen/methods.ts";
import type { Handler } from "./call.ts";
import type { MethodCounts } from "./call-counts.ts";

/** A method with its handler, all interceptors around it, and what has come of its calls. */
export type Route = {
  readonly method: MethodDescriptor;
  readonly handler: Handler;
  readonly counts: MethodCounts;
};
