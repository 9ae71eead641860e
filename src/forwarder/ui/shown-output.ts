import type { Export, Output } from "../output.ts";
import type { RecentTraces } from "./recent-traces.ts";

/** The same outputs, but what one of them has taken is also noted for the page, once. */
export function shownOutputs(outputs: readonly Output[], traces: RecentTraces): Output[] {
  const noted = new WeakSet<Export>();
  const note = (exported: Export) => {
    if (noted.has(exported)) return;
    noted.add(exported);
    try {
      traces.add(exported.line());
    } catch {
      // It does not decode; whether that matters is for the output to say.
    }
  };
  return outputs.map((output) => ({
    name: output.name,
    hasRoom: (bytes) => output.hasRoom(bytes),
    close: (limitMs) => output.close(limitMs),
    take: async (exported) => {
      await output.take(exported);
      note(exported);
    },
  }));
}
