import { readFile } from "node:fs/promises";
import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { PciPath } from "../devices/pci-path.ts";
import type { IpPrefix } from "./ip-address.ts";
import { type IpLine, ipBatch, ipLine } from "./ip-command.ts";
import type { Link } from "./network-links.ts";

/** What an interface shall be (agent-api 3.18); every member has been checked. */
export type WantedInterface = {
  /** How it is found; small letters. */
  readonly hardwareAddress: string;
  readonly name: string;
  readonly addresses: readonly IpPrefix[];
  /** Bytes; 0 leaves it as it is. */
  readonly mtu: number;
  /** No address resolution on this link. */
  readonly noArp: boolean;
  /** Where it is plugged in, for one that may still have to come. */
  readonly pciPath: PciPath | undefined;
};

const ipv6Switches = "/proc/sys/net/ipv6/conf";
/** Networks with longer prefixes have no broadcast address. */
const maxBroadcastPrefix = 30;
const maxNameLength = 15;
const displaced = "_temp";

/**
 * Gives `link` the addresses, the name and the settings wanted, and sets it up (agent-api 3.18 steps 4 to 8). Another
 * link with that name gets the old name of this one; when a step fails, it gets its own back.
 *
 * A link is set down only for a new name: going down costs it its routes and its IPv6 addresses, and a request that is
 * repeated after a time-out must not do that. @throws INTERNAL.
 */
export async function applyInterface(
  link: Link,
  wanted: WantedInterface,
  links: readonly Link[],
): Promise<void> {
  const lines = await addressLines(link.name, wanted.addresses);
  if (link.name !== wanted.name && link.up) lines.unshift(ipLine("link", "set", "dev", link.name, "down"));
  const other = links.find((candidate) => candidate.name === wanted.name && candidate !== link);
  if (other === undefined) await ipBatch([...lines, settingsLine(link, wanted)]);
  else await swapNames(link, wanted, other, lines, freeName(other.name, links));
}

async function swapNames(
  link: Link,
  wanted: WantedInterface,
  other: Link,
  before: readonly IpLine[],
  aside: string,
): Promise<void> {
  if (other.kind === "loopback") throw new AgentError(Code.internal, "the loopback keeps its name");
  try {
    await ipBatch([
      ...before,
      ipLine("link", "set", "dev", other.name, "down"),
      ipLine("link", "set", "dev", other.name, "name", aside),
      settingsLine(link, wanted),
      ipLine("link", "set", "dev", aside, "name", link.name, "up"),
    ]);
  } catch (error) {
    const back = ipLine("link", "set", "dev", aside, "name", other.name, ...(other.up ? ["up"] : []));
    await ipBatch([back]).catch(() => undefined);
    throw error;
  }
}

/** Sets the hardware address of a link, which has to be down for that; then as it was. @throws INTERNAL. */
export function setHardwareAddress(link: Link, address: string): Promise<void> {
  return ipBatch([
    ipLine("link", "set", "dev", link.name, "down"),
    ipLine("link", "set", "dev", link.name, "address", address, ...(link.up ? ["up"] : [])),
  ]);
}

/** One request to the kernel: name, MTU, ARP and up together (agent-api 3.18 step 7). */
function settingsLine(link: Link, { name, mtu, noArp }: WantedInterface): IpLine {
  const words = ["link", "set", "dev", link.name, "arp", noArp ? "off" : "on", "up"];
  if (mtu !== 0) words.push("mtu", String(mtu));
  if (name !== link.name) words.push("name", name);
  return ipLine(...words);
}

async function addressLines(device: string, addresses: readonly IpPrefix[]): Promise<IpLine[]> {
  const ipv6 = addresses.some(({ family }) => family === 6) && (await hasIpv6());
  return addresses
    .filter(({ family }) => family === 4 || ipv6)
    .map((address) => {
      const words = ["address", "replace", `${address.text}/${address.length}`, "dev", device];
      return ipLine(...words, ...addressWords(address));
    });
}

/**
 * IPv4: with the broadcast address of the network. IPv6: the host's network plug-in owns the address already, and one
 * that is still being probed for duplicates can neither be bound nor be the source of a route.
 */
function addressWords({ family, length }: IpPrefix): string[] {
  if (family === 6) return ["nodad"];
  return length <= maxBroadcastPrefix ? ["broadcast", "+"] : [];
}

/** False when IPv6 is switched off, or missing, for all links and for new ones (agent-api 3.18 step 5). */
async function hasIpv6(): Promise<boolean> {
  const files = ["all", "default"].map((scope) => `${ipv6Switches}/${scope}/disable_ipv6`);
  const states = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "missing")));
  return states.some((state) => state.trim() === "0");
}

function freeName(name: string, links: readonly Link[]): string {
  const taken = new Set(links.map((link) => link.name));
  for (const suffix of [displaced, "_temp2", "_temp3"]) {
    const free = name.slice(0, maxNameLength - suffix.length) + suffix;
    if (!taken.has(free)) return free;
  }
  throw new AgentError(Code.internal, "no temporary name is free for an interface");
}
