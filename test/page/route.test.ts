import { test } from "tap";
import { formatRoute, parseRoute, type Route } from "../../src/page/route.ts";

const routes: Route[] = [
  { view: "list", query: "" },
  { view: "list", query: "pod:a b&c#d" },
  { view: "trace", traceId: "4bf9", spanId: undefined },
  { view: "trace", traceId: "4bf9", spanId: "00f0" },
  { view: "compare", left: "a", right: "b" },
  { view: "map", traceId: undefined },
  { view: "map", traceId: "4bf9" },
];
for (const route of routes) {
  const address = formatRoute(route);
  test(`the address ${address} leads back to its view`, async (t) => {
    t.strictSame(parseRoute(address), route);
  });
}

for (const address of ["", "#", "#/nowhere", "#/trace", "#/compare/a", "#/trace/%E0%A4%A"]) {
  test(`an address that means nothing is the list: ${address}`, async (t) => {
    t.equal(parseRoute(address).view, "list");
  });
}
