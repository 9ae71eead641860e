import type { WantedInterface } from "./network-interface.ts";
import type { Link } from "./network-links.ts";

/**
 * The NIC that came with the snapshot a guest was restored from, and so has the hardware address of another guest
 * (agent-api 3.18 step 3). Machines that cannot plug NICs have one baked in, so it can only be that when it is the only
 * NIC of the guest, has the wanted name, was not configured by a request before and has no address; and when the
 * request does not say where the NIC is plugged in. Anything else is some other NIC and stays untouched.
 */
export function templateNic(
  links: readonly Link[],
  wanted: WantedInterface,
  configured: ReadonlySet<number>,
): Link | undefined {
  if (wanted.pciPath !== undefined) return undefined;
  const [nic, ...others] = links.filter((link) => link.kind === "ether");
  if (nic === undefined || others.length > 0 || nic.name !== wanted.name) return undefined;
  return configured.has(nic.index) || nic.addresses.some(({ local }) => !local) ? undefined : nic;
}
