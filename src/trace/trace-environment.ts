/** The names of OpenTelemetry's environment carrier (wire-and-tracing 7.8). */
const carried = ["TRACEPARENT=", "TRACESTATE=", "BAGGAGE="];

/**
 * The environment with the entries of `traceEnvironment`. What is there already is never changed or mixed with ours: one
 * that has any of them keeps its own.
 */
export function withTraceEnvironment(env: readonly string[], trace: readonly string[]): readonly string[] {
  if (trace.length === 0) return env;
  const isSet = env.some((entry) => carried.some((name) => entry.startsWith(name)));
  return isSet ? env : [...env, ...trace];
}
