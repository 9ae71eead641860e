import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";

/** An address that has been checked: `text` holds nothing but digits, hexadecimal letters, `.` and `:`. */
export type IpAddress = { readonly family: 4 | 6; readonly text: string };

/** An address with the length of its network prefix in bits. */
export type IpPrefix = IpAddress & { readonly length: number };

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);
const ipv6Group = /^[0-9a-f]{1,4}$/i;
const ipv6Groups = 8;
const prefixLength = /^(?:0|[1-9]\d{0,2})$/;

/** Takes an address that came in a request, without prefix or zone; `what` names it in the error. @throws INTERNAL. */
export function ipAddress(text: string, what: string): IpAddress {
  if (ipv4.test(text)) return { family: 4, text };
  if (isIpv6(text)) return { family: 6, text };
  throw new AgentError(Code.internal, `${what} is not an IP address`);
}

/** Takes an address and its prefix length as decimal text. @throws INTERNAL. */
export function ipPrefix(address: string, length: string, what: string): IpPrefix {
  const { family, text } = ipAddress(address, what);
  const bits = Number(length);
  if (!prefixLength.test(length) || bits > addressBits(family)) {
    throw new AgentError(Code.internal, `prefix length of ${what} is out of range`);
  }
  return { family, text, length: bits };
}

/** Takes `address/length`; an address alone is that one host. @throws INTERNAL. */
export function cidr(text: string, what: string): IpPrefix {
  const slash = text.indexOf("/");
  if (slash >= 0) return ipPrefix(text.slice(0, slash), text.slice(slash + 1), what);
  const host = ipAddress(text, what);
  return { ...host, length: addressBits(host.family) };
}

/** How long an address of the family is. */
export function addressBits(family: 4 | 6): 32 | 128 {
  return family === 4 ? 32 : 128;
}

function isIpv6(text: string): boolean {
  const groups = withoutDots(text)?.split("::") ?? [];
  if (groups.length === 0 || groups.length > 2) return false;
  const written = groups.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!written.every((group) => ipv6Group.test(group))) return false;
  return groups.length === 2 ? written.length < ipv6Groups : written.length === ipv6Groups;
}

/** The last four bytes may be written as an IPv4 address: two groups. Undefined when that address is none. */
function withoutDots(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const tail = text.lastIndexOf(":") + 1;
  return ipv4.test(text.slice(tail)) ? `${text.slice(0, tail)}0:0` : undefined;
}
