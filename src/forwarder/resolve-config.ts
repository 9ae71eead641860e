import type { Config } from "./config.ts";
import { type FileConfig, readConfigFile } from "./config-file.ts";
import { type Environment, environmentBackend } from "./environment-backend.ts";
import { guestLogDefaults } from "./guest-log-config.ts";
import { defaultLimits } from "./in/limits.ts";
import { type Arguments, fileBackend } from "./read-arguments.ts";

const defaultDrainMs = 5_000;

/**
 * Puts together flags, file and environment. Flags win over the file; addresses of both are listened on. The
 * environment names a backend only where neither does; without any, spans go to stdout.
 * @throws Error that says what is wrong or missing.
 */
export async function resolveConfig(given: Arguments, env: Environment): Promise<Config> {
  const file: Partial<FileConfig> = given.config === undefined ? {} : await readConfigFile(given.config);
  const listen = [...given.listen, ...(file.listen ?? [])];
  const watch = given.watch.length > 0 ? given.watch : (file.watch ?? []);
  if (listen.length === 0 && watch.length === 0)
    throw new Error("--listen, --socket-path, --vsock or --watch is needed");
  return Object.freeze({
    listen,
    watch,
    backends: backendsOf(given, file, env),
    guestLogs: guestLogsOf(given, file),
    limits: file.limits ?? defaultLimits,
    sampling: file.sampling,
    scrub: file.scrub ?? [],
    admin: given.admin ?? file.admin,
    ui: given.ui ?? file.ui,
    logLevel: given.logLevel ?? file.logLevel ?? "info",
    drainMs: given.drainMs ?? file.drainMs ?? defaultDrainMs,
  });
}

function guestLogsOf({ guestLogs: folder }: Arguments, file: Partial<FileConfig>): Config["guestLogs"] {
  if (folder === undefined) return file.guestLogs;
  return { ...(file.guestLogs ?? guestLogDefaults(folder)), folder };
}

function backendsOf(given: Arguments, file: Partial<FileConfig>, env: Environment): Config["backends"] {
  if (given.backends.length > 0) return given.backends;
  if (file.backends !== undefined && file.backends.length > 0) return file.backends;
  const standard = environmentBackend(env);
  return [standard ?? fileBackend("-")];
}
