import { formatRoute } from "./route.ts";
import { connected, goTo, route, source, type Theme, theme } from "./state.ts";

const nextTheme: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };

/** Title, search, the views, light or dark. */
export function Header() {
  const shown = route.value;
  const query = shown.view === "list" ? shown.query : "";
  return (
    <header>
      <h1>
        <a href={formatRoute({ view: "list", query: "" })}>Kata traces</a>
      </h1>
      <search>
        <input
          id="search"
          type="search"
          placeholder="sandbox, container, pod, method …  ( / )"
          aria-label="Search traces"
          value={query}
          onInput={(event) => goTo({ view: "list", query: event.currentTarget.value }, "replace")}
        />
      </search>
      <nav aria-label="Views">
        <a href={formatRoute({ view: "list", query: "" })} aria-current={currentIf(shown.view === "list")}>
          Traces
        </a>
        <a
          href={formatRoute({ view: "map", traceId: undefined })}
          aria-current={currentIf(shown.view === "map")}
        >
          Service map
        </a>
      </nav>
      <span role="status" class={connected.value ? "quiet" : "warning"}>
        {connectionText()}
      </span>
      <button type="button" onClick={() => (theme.value = nextTheme[theme.value])}>
        {`Theme: ${theme.value}`}
      </button>
    </header>
  );
}

function currentIf(current: boolean): "page" | undefined {
  return current ? "page" : undefined;
}

function connectionText(): string {
  if (!source.live) return "from a file";
  return connected.value ? "live" : "the forwarder does not answer";
}
