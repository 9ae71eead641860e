import { useLayoutEffect } from "preact/hooks";
import { CompareView } from "./compare-view.tsx";
import { Header } from "./header.tsx";
import { onPageKey } from "./keys.ts";
import { ListView } from "./list-view.tsx";
import { MapView } from "./map-view.tsx";
import { route } from "./state.ts";
import { TraceView } from "./trace-view.tsx";

/** The whole page: the header, and the view that the address names. */
export function App() {
  // With the first drawing, not after it: a key that is pressed as soon as something is to be seen counts.
  useLayoutEffect(() => {
    addEventListener("keydown", onPageKey);
    return () => removeEventListener("keydown", onPageKey);
  }, []);
  return (
    <>
      <Header />
      <main>
        <View />
      </main>
    </>
  );
}

function View() {
  const shown = route.value;
  switch (shown.view) {
    case "list":
      return <ListView query={shown.query} />;
    case "trace":
      return <TraceView traceId={shown.traceId} spanId={shown.spanId} />;
    case "compare":
      return <CompareView left={shown.left} right={shown.right} />;
    case "map":
      return <MapView traceId={shown.traceId} />;
  }
}
