/** Addresses of passed-through PCI devices: the host's → this guest's, both `DDDD:BB:DD.F` in small letters. */
export type PciAddresses = ReadonlyMap<string, string>;

const prefix = "PCIDEVICE_";
const infoSuffix = "_INFO";
const address = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;

/** Whether `text` is the address of a PCI device, `DDDD:BB:DD.F`. */
export function isPciAddress(text: string): boolean {
  return address.test(text);
}

/**
 * Puts this guest's addresses into the variables by which a device plugin tells a container its PCI devices
 * (agent-api 4.4): `PCIDEVICE_<name>`, a list, and `PCIDEVICE_<name>_INFO`, a text about the same devices. Where one
 * address of a list is not known both stay as they are.
 */
export function pciEnvironment(env: readonly string[], addresses: PciAddresses): string[] {
  const known = new Map<string, ReadonlyMap<string, string>>();
  const listed = env.map((entry) => {
    const [name, value] = split(entry);
    if (!name.startsWith(prefix) || name.endsWith(infoSuffix)) return entry;
    const hosts = value.split(",");
    const guests = hosts.map((host) => addresses.get(host.toLowerCase()));
    if (guests.includes(undefined)) return entry;
    known.set(name + infoSuffix, new Map(hosts.map((host, index) => [host, guests[index] ?? host])));
    return `${name}=${guests.join(",")}`;
  });
  return listed.map((entry) => {
    const [name, value] = split(entry);
    const map = known.get(name);
    return map === undefined ? entry : `${name}=${substituted(value, map)}`;
  });
}

/** In one pass: a guest's address may be another device's on the host. */
function substituted(text: string, map: ReadonlyMap<string, string>): string {
  const pattern = [...map.keys()].map((host) => host.replace(".", "\\.")).join("|");
  return text.replace(new RegExp(pattern, "g"), (host) => map.get(host) ?? host);
}

function split(entry: string): [name: string, value: string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}
