import type { IpAddress, IpPrefix } from "./ip-address.ts";
import { addressBits } from "./ip-address.ts";
import { type IpLine, ipBatch, ipLine, ipQuery } from "./ip-command.ts";
import { linkNamed, readLinks } from "./network-links.ts";

/** A route to make (agent-api 3.19); every member has been checked. */
export type WantedRoute = {
  readonly destination: IpPrefix;
  readonly gateway: IpAddress | undefined;
  readonly device: string;
  /** Address that packets leave with by preference. */
  readonly source: IpAddress | undefined;
  /** Number of the kernel: 0 everywhere, 253 this link, 254 this host. */
  readonly scope: number;
  /** The gateway counts as being on the link, whatever the other routes say. */
  readonly onlink: boolean;
  /** Bytes; 0 takes that of the link. */
  readonly mtu: number;
};

/** A route that is there (agent-api 3.20). Texts are empty for what a route has not. */
export type Route = {
  readonly family: 4 | 6;
  /** With prefix length, also for the default route. */
  readonly destination: string;
  readonly gateway: string;
  readonly device: string;
  readonly source: string;
  readonly scope: number;
  readonly onlink: boolean;
  readonly mtu: number;
};

type Hop = { gateway?: string; via?: { host?: string }; dev?: string; flags?: string[] };
type IpRoute = Hop & {
  dst?: string;
  prefsrc?: string;
  scope?: string;
  metrics?: { mtu?: number }[];
  nexthops?: Hop[];
};

/** Number of `boot`: made by a program that does not keep routes up to date. */
const bootProtocol = 3;
const exists = /RTNETLINK answers: File exists/;

/**
 * Makes routes in the main table; one to the same destination is replaced, nothing else is taken away. Those without
 * gateway come first, since gateways are reached by them. @throws INTERNAL, before any effect for an unknown device.
 */
export async function makeRoutes(routes: readonly WantedRoute[]): Promise<void> {
  const links = await readLinks();
  for (const { device } of routes) linkNamed(links, device);
  const direct = routes.filter(({ gateway }) => gateway === undefined);
  const indirect = routes.filter(({ gateway }) => gateway !== undefined);
  await ipBatch([...direct, ...indirect].map(routeLine), exists);
}

/** The routes of the main table, IPv4 then IPv6. @throws INTERNAL. */
export async function readRoutes(): Promise<Route[]> {
  return [...(await routesOf(4)), ...(await routesOf(6))];
}

function routeLine({ destination, gateway, device, source, scope, onlink, mtu }: WantedRoute): IpLine {
  const words = ["route", "replace", `${destination.text}/${destination.length}`];
  if (gateway !== undefined) words.push("via", gateway.text);
  words.push("dev", device, "table", "main", "protocol", String(bootProtocol), "scope", String(scope));
  if (source !== undefined) words.push("src", source.text);
  if (mtu !== 0) words.push("mtu", String(mtu));
  if (onlink) words.push("onlink");
  return ipLine(...words);
}

async function routesOf(family: 4 | 6): Promise<Route[]> {
  const found = await ipQuery("-N", `-${family}`, "route", "show", "table", "main");
  return (found as IpRoute[]).flatMap((route) =>
    (route.nexthops ?? [route]).map((hop) => routeFrom(family, route, hop)),
  );
}

/** A route over several gateways is told once for each. */
function routeFrom(family: 4 | 6, route: IpRoute, hop: Hop): Route {
  return {
    family,
    destination: destinationText(family, route.dst ?? "default"),
    gateway: hop.gateway ?? hop.via?.host ?? "",
    device: hop.dev ?? route.dev ?? "",
    source: route.prefsrc ?? "",
    scope: Number(route.scope ?? 0),
    onlink: hop.flags?.includes("onlink") ?? false,
    mtu: route.metrics?.find(({ mtu }) => mtu !== undefined)?.mtu ?? 0,
  };
}

function destinationText(family: 4 | 6, destination: string): string {
  if (destination === "default") return family === 4 ? "0.0.0.0/0" : "::/0";
  return destination.includes("/") ? destination : `${destination}/${addressBits(family)}`;
}
