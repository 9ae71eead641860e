/** What a log line may carry besides its text. Never request contents, environment, arguments or file data. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where the rooms write their log lines. Given to whoever needs it; nothing reaches for a global one.
 * The level says who must act: `error` somebody now, `warn` somebody later, `info` nobody, `debug` a developer.
 */
export type Log = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** The same log with `bindings` on every line, such as `{ container }`. */
  child(bindings: LogFields): Log;
};

/** A log that keeps nothing, for callers that have none. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
