import type { Export } from "../export.ts";
import { jsonFromProtobuf } from "../out/otlp-json.ts";
import type { RecentTraces } from "./recent-traces.ts";

/** Notes for the page what was taken, also what waits for sampling or is left out by it. */
export function showIn(traces: RecentTraces): (exported: Export) => void {
  return ({ body }) => {
    try {
      traces.add(jsonFromProtobuf(body));
    } catch {
      // It does not decode; whether that matters was for the outputs to say.
    }
  };
}
