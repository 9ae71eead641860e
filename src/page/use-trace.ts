import { useEffect, useState } from "preact/hooks";
import type { LoadedTrace } from "./source.ts";
import { listVersion, loadTrace } from "./state.ts";

/** `absent`: there is no such trace (any more). */
export type TraceState =
  | { readonly state: "loading" }
  | { readonly state: "absent" }
  | ({ readonly state: "there" } & LoadedTrace);

/** A trace for a view, loaded anew when the list says that something has changed. */
export function useTrace(traceId: string): TraceState {
  const [known, setKnown] = useState<TraceState>({ state: "loading" });
  const version = listVersion.value;
  useEffect(() => {
    let wanted = true;
    void loadTrace(traceId).then((found) => {
      if (wanted) setKnown(found === undefined ? { state: "absent" } : { state: "there", ...found });
    });
    return () => {
      wanted = false;
    };
  }, [traceId, version]);
  return known;
}
