import { existsSync } from "node:fs";
import { join } from "node:path";
import type { KernelFunctions } from "./kernel-functions.ts";

/** Beside the bundled program, or in the build folder of the sources. */
function addonPath(): string {
  const beside = join(import.meta.dirname, "kata.node");
  return existsSync(beside) ? beside : join(import.meta.dirname, "../../build/kata.node");
}

function load(): KernelFunctions {
  const holder = { exports: {} };
  process.dlopen(holder, addonPath());
  return holder.exports as KernelFunctions;
}

/** The addon. Only the rooms `sys` and `vsock` call it, and only this file loads it. */
export const kernel: KernelFunctions = load();
