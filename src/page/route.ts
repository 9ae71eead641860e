/** What the page shows, as the part of its address behind `#`, so that a link leads to the same view. */
export type Route =
  | { readonly view: "list"; readonly query: string }
  | { readonly view: "trace"; readonly traceId: string; readonly spanId: string | undefined }
  | { readonly view: "compare"; readonly left: string; readonly right: string }
  | { readonly view: "map"; readonly traceId: string | undefined };

/** Reads an address; what cannot be understood is the list. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view, first, second] = path.split("/").map(decoded);
  const params = new URLSearchParams(query);
  if (view === "trace" && first) return { view, traceId: first, spanId: params.get("span") ?? undefined };
  if (view === "compare" && first && second) return { view, left: first, right: second };
  if (view === "map") return { view, traceId: first || undefined };
  return { view: "list", query: params.get("q") ?? "" };
}

/** The address of a view, beginning with `#`. */
export function formatRoute(route: Route): string {
  switch (route.view) {
    case "trace": {
      const span = route.spanId === undefined ? "" : `?${new URLSearchParams({ span: route.spanId })}`;
      return `#/trace/${encodeURIComponent(route.traceId)}${span}`;
    }
    case "compare":
      return `#/compare/${encodeURIComponent(route.left)}/${encodeURIComponent(route.right)}`;
    case "map":
      return route.traceId === undefined ? "#/map" : `#/map/${encodeURIComponent(route.traceId)}`;
    case "list":
      return route.query === "" ? "#/" : `#/?${new URLSearchParams({ q: route.query })}`;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
