import type { Tracing, TracingOptions } from "./tracing-options.ts";

export type { FlushReport, Tracing, TracingOptions } from "./tracing-options.ts";

/**
 * Turns tracing on: loads the SDK, opens the sandbox's root span and replays the boot below it.
 * Nothing of OpenTelemetry is loaded before this is called, and nobody waits for the receiver to be there.
 * The caller owes {@link Tracing.shutdown}. Precondition: no other tracing is on in this process.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { openTracing } = await import("./sdk-tracing.ts");
  return openTracing(options);
}
