/** What the page knows and shows. Views read these signals and are drawn anew when one changes. */
import { computed, effect, signal } from "@preact/signals";
import type { TraceList, TraceOrder } from "../view/trace-list.ts";
import { formatRoute, parseRoute, type Route } from "./route.ts";
import { type LoadedTrace, openSource } from "./source.ts";

/** What the reader has chosen; `auto` follows the system. */
export type Theme = "auto" | "light" | "dark";

const noTraces: TraceList = { version: 0, traces: [], forgotten: 0 };
const themeKey = "kata-trace-theme";

/** Where the traces of this page come from. */
export const source = openSource(document);
/** The view that is shown. */
export const route = signal<Route>(parseRoute(location.hash));
/** The traces as last told by the source. */
export const list = signal<TraceList>(noTraces);
/** False while the forwarder does not answer. */
export const connected = signal(true);
/** How the list is sorted. */
export const order = signal<TraceOrder>("trouble");
/** Colours, kept in the browser. */
export const theme = signal<Theme>(storedTheme());
/** A trace marked in the list, to be compared with the next one. */
export const marked = signal<string | undefined>(undefined);

/** Version of the list at which the trace last changed, so that a trace that grows is loaded again. */
export const listVersion = computed(() => list.value.version);

/** Shows another view; `replace` leaves no step for the browser's Back. */
export function goTo(next: Route, how: "push" | "replace" = "push"): void {
  route.value = next;
  const address = formatRoute(next);
  if (address === location.hash) return;
  if (how === "push") history.pushState(undefined, "", address);
  else history.replaceState(undefined, "", address);
}

/** A trace by id; undefined when it is not there. */
export function loadTrace(traceId: string): Promise<LoadedTrace | undefined> {
  return source.load(traceId);
}

/** Starts what keeps the signals true. Called once. */
export function startState(): void {
  const onAddress = () => {
    route.value = parseRoute(location.hash);
  };
  addEventListener("popstate", onAddress);
  addEventListener("hashchange", onAddress);
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    store(themeKey, theme.value);
  });
  source.watch((news) => {
    connected.value = news !== undefined;
    if (news !== undefined) list.value = news;
  });
}

function storedTheme(): Theme {
  const value = stored(themeKey);
  return value === "light" || value === "dark" ? value : "auto";
}

/** A page opened from a file may have no storage. */
function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing depends on it.
  }
}
