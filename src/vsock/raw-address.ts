import type { RawAddress } from "../sys/kernel-functions.ts";
import type { Address } from "./address.ts";

/** An address the kernel can take: a hybrid one is a unix socket with a habit on top. */
export type PlainAddress = Exclude<Address, { kind: "hybrid" }>;

const numericHost = /^[\d.]+$|:/;

/** The numeric form of a host. @throws ENOTFOUND and others of dns.lookup. */
async function resolveHost(host: string): Promise<string> {
  if (numericHost.test(host)) return host;
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host)).address;
}

/** The four values the addon takes for an address; host names are resolved here. */
export async function rawAddress(address: PlainAddress): Promise<RawAddress> {
  switch (address.kind) {
    case "unix":
      return [1, address.path, 0, 0];
    case "abstract":
      return [2, address.name, 0, 0];
    case "vsock":
      return [3, "", address.cid, address.port];
    case "tcp":
      return [4, await resolveHost(address.host), 0, address.port];
  }
}
