import { goTo, route } from "./state.ts";

/** Keys that work everywhere: `/` searches, `l` the list, `m` the map, Escape one step out. */
export function onPageKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (typing && event.key !== "Escape") return;
  switch (event.key) {
    case "/":
      event.preventDefault();
      document.querySelector<HTMLInputElement>("#search")?.focus();
      break;
    case "l":
      goTo({ view: "list", query: "" });
      break;
    case "m":
      goTo({ view: "map", traceId: undefined });
      break;
    case "Escape":
      stepOut(typing);
      break;
    default:
  }
}

function stepOut(typing: boolean): void {
  const shown = route.value;
  if (typing && document.activeElement instanceof HTMLElement) document.activeElement.blur();
  else if (shown.view === "trace" && shown.spanId !== undefined)
    goTo({ view: "trace", traceId: shown.traceId, spanId: undefined });
  else goTo({ view: "list", query: "" });
}
