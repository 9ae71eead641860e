import type { Config } from "./config.ts";
import { defaultLimits } from "./in/limits.ts";
import { type Arguments, fileBackend } from "./read-arguments.ts";

const defaultDrainMs = 5_000;

/**
 * Puts together what the flags say and what is left to defaults.
 * @throws Error with what is missing.
 */
export function resolveConfig(given: Arguments): Config {
  if (given.listen.length === 0 && given.watch.length === 0)
    throw new Error("--listen, --socket-path, --vsock or --watch is needed");
  return Object.freeze({
    listen: given.listen,
    watch: given.watch,
    backends: given.backends.length > 0 ? given.backends : [fileBackend("-")],
    limits: defaultLimits,
    ui: given.ui,
    logLevel: given.logLevel ?? "info",
    drainMs: given.drainMs ?? defaultDrainMs,
  });
}
