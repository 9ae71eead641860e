import { placedFile } from "../base/placed-file.ts";
import type { KernelFunctions } from "./kernel-functions.ts";

function load(): KernelFunctions {
  const holder = { exports: {} };
  process.dlopen(holder, placedFile("kata.node"));
  return holder.exports as KernelFunctions;
}

/** The addon. Only the rooms `sys` and `vsock` call it, and only this file loads it. */
export const kernel: KernelFunctions = load();
