import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { IpPrefix } from "./ip-address.ts";
import { ipQuery } from "./ip-command.ts";

/** A network interface as it is now. */
export type Link = {
  readonly index: number;
  readonly name: string;
  /** Small letters with colons; empty for a link that has none. */
  readonly hardwareAddress: string;
  readonly mtu: number;
  readonly up: boolean;
  /** In the kernel's words: `ether`, `loopback`, `none`, … */
  readonly kind: string;
  /** `local`: valid on this link only, such as those that IPv6 gives itself. */
  readonly addresses: readonly (IpPrefix & { readonly local: boolean })[];
};

type IpLink = {
  ifindex?: number;
  ifname?: string;
  flags?: string[];
  mtu?: number;
  link_type?: string;
  address?: string;
  addr_info?: { family?: string; local?: string; prefixlen?: number; scope?: string }[];
};

/** All links with their addresses, in the order of their making. @throws INTERNAL. */
export async function readLinks(): Promise<Link[]> {
  // An address query leaves empty objects behind for what it has filtered out.
  const links = (await ipQuery("address", "show")) as IpLink[];
  return links.filter(({ ifname }) => ifname !== undefined).map(linkFrom);
}

/**
 * The link of that name. The text of the error is the one that callers know (agent-api 0.4). @throws INTERNAL.
 */
export function linkNamed(links: readonly Link[], name: string): Link {
  const link = links.find((candidate) => candidate.name === name);
  if (link === undefined) throw new AgentError(Code.internal, `Link not found: name ${name}`);
  return link;
}

function linkFrom(link: IpLink): Link {
  return {
    index: link.ifindex ?? 0,
    name: link.ifname ?? "",
    hardwareAddress: link.address ?? "",
    mtu: link.mtu ?? 0,
    up: link.flags?.includes("UP") ?? false,
    kind: link.link_type ?? "",
    addresses: (link.addr_info ?? []).map((address) => ({
      family: address.family === "inet6" ? 6 : 4,
      text: address.local ?? "",
      length: address.prefixlen ?? 0,
      local: address.scope === "link" || address.scope === "host",
    })),
  };
}
