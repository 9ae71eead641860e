/** The network's messages, checked and turned into what the sandbox room works on, and the other way. */
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import { pciPath } from "../devices/pci-path.ts";
import { type ARPNeighbor, type Interface, IPFamily, type Route as RouteMessage } from "../gen/types.ts";
import { cidr, type IpPrefix, ipAddress, ipPrefix } from "../network/ip-address.ts";
import { hardwareAddress, linkName } from "../network/link-name.ts";
import type { WantedInterface } from "../network/network-interface.ts";
import type { Link } from "../network/network-links.ts";
import type { WantedNeighbor } from "../network/network-neighbors.ts";
import type { Route, WantedRoute } from "../network/network-routes.ts";

/** IFF_NOARP of the kernel. */
const noArp = 0x80;
/** RTNH_F_ONLINK. The other bits of a route's flags are states that the kernel tells, not wishes. */
const onlink = 0x04;
const nudPermanent = 0x80;
const maxMtu = 0xffffffffn;
const maxScope = 255;
const familyOf = { 4: IPFamily.v4, 6: IPFamily.v6 } as const;

/** @throws INTERNAL for a field that is not sound. */
export function interfaceFrom(message: Interface): WantedInterface {
  if (message.mtu > maxMtu) throw new AgentError(Code.internal, "MTU is out of range");
  return {
    hardwareAddress: hardwareAddress(message.hwAddr),
    name: linkName(message.name),
    addresses: message.IPAddresses.map(({ address, mask }) => ipPrefix(address, mask, "interface address")),
    mtu: Number(message.mtu),
    noArp: (message.raw_flags & noArp) !== 0,
    pciPath: message.devicePath === "" ? undefined : pciPath(message.devicePath),
  };
}

/** @throws INTERNAL for a field that is not sound. */
export function routeFrom(message: RouteMessage): WantedRoute {
  if (message.scope > maxScope) throw new AgentError(Code.internal, "route scope is out of range");
  const destination = destinationOf(message);
  const gateway = message.gateway === "" ? undefined : ipAddress(message.gateway, "gateway");
  // Callers mean the preferred source address, also when they give it a prefix length (agent-api 3.19).
  const source = message.source === "" ? undefined : cidr(message.source, "route source");
  for (const address of [gateway, source]) {
    if (address !== undefined && address.family !== destination.family) {
      throw new AgentError(Code.internal, "addresses of a route are of different families");
    }
  }
  return {
    destination,
    gateway,
    device: linkName(message.device, "route device"),
    source,
    scope: message.scope,
    onlink: (message.flags & onlink) !== 0,
    mtu: message.mtu,
  };
}

/** An empty destination is the default route of the family. */
function destinationOf({ dest, family }: RouteMessage): IpPrefix {
  const expected = family === IPFamily.v6 ? 6 : 4;
  if (dest === "") return { family: expected, text: expected === 6 ? "::" : "0.0.0.0", length: 0 };
  const destination = cidr(dest, "route destination");
  if (destination.family === expected) return destination;
  throw new AgentError(Code.internal, "route destination is not of the route's family");
}

/** State 0 means permanent. @throws INTERNAL for a field that is not sound. */
export function neighborFrom({ toIPAddress, device, lladdr, state, flags }: ARPNeighbor): WantedNeighbor {
  const oneState = state === 0 ? nudPermanent : state;
  if (oneState < 0 || oneState > nudPermanent || (oneState & (oneState - 1)) !== 0) {
    throw new AgentError(Code.internal, "neighbor state is out of range");
  }
  return {
    address: ipAddress(toIPAddress?.address ?? "", "neighbor address"),
    device: linkName(device, "neighbor device"),
    hardwareAddress: lladdr === "" ? undefined : hardwareAddress(lladdr, "neighbor hardware address"),
    state: oneState,
    flags,
  };
}

/** A link as ListInterfaces tells it (agent-api 3.20): hardware address in capitals, prefix length as mask. */
export function interfaceMessage(link: Link): Interface {
  return {
    device: "",
    name: link.name,
    IPAddresses: link.addresses.map(({ family, text, length }) => ({
      family: familyOf[family],
      address: text,
      mask: String(length),
    })),
    mtu: BigInt(link.mtu),
    hwAddr: link.hardwareAddress.toUpperCase(),
    devicePath: "",
    type: "",
    raw_flags: 0,
  };
}

/** A route as ListRoutes and UpdateRoutes tell it (agent-api 3.20). */
export function routeMessage(route: Route): RouteMessage {
  return {
    dest: route.destination,
    gateway: route.gateway,
    device: route.device,
    source: route.source,
    scope: route.scope,
    family: familyOf[route.family],
    flags: route.onlink ? onlink : 0,
    mtu: route.mtu,
  };
}
