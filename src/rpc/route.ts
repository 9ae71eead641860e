import type { MethodDescriptor } from "../gen/methods.ts";
import type { Handler } from "./call.ts";

/** A method with its handler, all interceptors around it. */
export type Route = { readonly method: MethodDescriptor; readonly handler: Handler };
