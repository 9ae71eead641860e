import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import { pciPath } from "../../src/devices/pci-path.ts";
import { Uevents } from "../../src/devices/uevents.ts";
import { ipPrefix } from "../../src/network/ip-address.ts";
import { Network } from "../../src/network/network.ts";
import type { WantedInterface } from "../../src/network/network-interface.ts";
import { linkNamed, readLinks } from "../../src/network/network-links.ts";
import { enterPrivateNetwork, ip } from "../fakes/private-network.ts";

enterPrivateNetwork();

const mac = "02:00:00:00:00:01";
const otherMac = "02:00:00:00:00:02";
const network = () => new Network({ log: silentLog, uevents: new Uevents({ log: silentLog, timeoutMs: 0 }) });

/** Two links, `name` with the address wanted; the other end of the cable has the name `end` and `otherMac`. */
function cable(t: Test, name: string, end = "end") {
  ip("link", "add", name, "address", mac, "type", "veth", "peer", "name", end, "address", otherMac);
  t.teardown(() => {
    const links = JSON.parse(ip("-json", "link", "show", "type", "veth")) as { ifname: string }[];
    if (links[0] !== undefined) ip("link", "delete", "dev", links[0].ifname);
  });
}

function wanted(more: Partial<WantedInterface> = {}): WantedInterface {
  return {
    hardwareAddress: mac,
    name: "eth0",
    addresses: [],
    mtu: 0,
    noArp: false,
    pciPath: undefined,
    ...more,
  };
}

async function link(name: string) {
  return linkNamed(await readLinks(), name);
}

function flags(name: string): string[] {
  return (JSON.parse(ip("-json", "link", "show", "dev", name)) as [{ flags: string[] }])[0].flags;
}

async function addresses(name: string): Promise<string[]> {
  const found = (await link(name)).addresses.filter(({ local }) => !local);
  return found.map(({ text, length }) => `${text}/${length}`).sort();
}

test("an interface found by its hardware address gets addresses, MTU and name, and is up", async (t) => {
  cable(t, "veth7");
  const both = [ipPrefix("10.1.0.2", "24", "it"), ipPrefix("fd00::2", "64", "it")];
  await network().updateInterface(wanted({ addresses: both, mtu: 1400 }));
  t.match(await link("eth0"), { hardwareAddress: mac, mtu: 1400, up: true });
  t.same(await addresses("eth0"), ["10.1.0.2/24", "fd00::2/64"]);
  t.match(ip("-4", "address", "show", "dev", "eth0"), /brd 10\.1\.0\.255/);
  t.notMatch(ip("-6", "address", "show", "dev", "eth0", "scope", "global"), /tentative/, "usable at once");
});

test("MTU 0 leaves the MTU, and a host prefix has no broadcast address", async (t) => {
  cable(t, "eth0");
  ip("link", "set", "dev", "eth0", "mtu", "1300");
  await network().updateInterface(wanted({ addresses: [ipPrefix("10.1.0.2", "32", "it")] }));
  t.equal((await link("eth0")).mtu, 1300);
  t.notMatch(ip("-4", "address", "show", "dev", "eth0"), /brd/);
});

test("address resolution is off when asked for, and on again when not", async (t) => {
  cable(t, "eth0");
  await network().updateInterface(wanted({ noArp: true }));
  t.ok(flags("eth0").includes("NOARP"));
  await network().updateInterface(wanted());
  t.notOk(flags("eth0").includes("NOARP"));
});

test("a repeated request keeps addresses and routes", async (t) => {
  cable(t, "veth7");
  const request = wanted({ addresses: [ipPrefix("10.1.0.2", "24", "it"), ipPrefix("fd00::2", "64", "it")] });
  const guest = network();
  await guest.updateInterface(request);
  ip("route", "add", "default", "via", "10.1.0.1");
  ip("address", "add", "10.2.0.2/24", "dev", "eth0");
  await guest.updateInterface(request);
  t.same(await addresses("eth0"), ["10.1.0.2/24", "10.2.0.2/24", "fd00::2/64"]);
  t.match(ip("route"), /default via 10\.1\.0\.1/);
});

test("a link that has the wanted name already takes the old name of ours, and is up", async (t) => {
  cable(t, "veth7", "eth0");
  await network().updateInterface(wanted());
  t.match(await link("eth0"), { hardwareAddress: mac, up: true });
  t.match(await link("veth7"), { hardwareAddress: otherMac, up: true });
});

test("a swap works with names of full length and with left-over temporary names", async (t) => {
  const long = "fifteen-letters";
  cable(t, "veth7", long);
  ip("link", "add", "fifteen-le_temp", "type", "veth", "peer", "name", "more");
  t.teardown(() => ip("link", "delete", "dev", "more"));
  await network().updateInterface(wanted({ name: long }));
  t.match(await link(long), { hardwareAddress: mac, up: true });
  t.match(await link("veth7"), { hardwareAddress: otherMac, up: true });
});

test("a swap that fails gives the displaced link its name back", async (t) => {
  cable(t, "veth7", "eth0");
  ip("link", "set", "dev", "eth0", "up");
  await t.rejects(network().updateInterface(wanted({ mtu: 1_000_000 })), { code: 13 });
  t.match(await link("eth0"), { hardwareAddress: otherMac, up: true });
  t.match(await link("veth7"), { hardwareAddress: mac });
});

test("the loopback is neither found by its empty hardware address nor displaced", async (t) => {
  cable(t, "veth7");
  const zero = wanted({ hardwareAddress: "00:00:00:00:00:00" });
  await t.rejects(network().updateInterface(zero), { message: /Link not found/ });
  await t.rejects(network().updateInterface(wanted({ name: "lo" })), { code: 13, message: /loopback/ });
  t.match(await link("lo"), { kind: "loopback" });
});

test("IPv6 addresses are left out where IPv6 is switched off", async (t) => {
  cable(t, "eth0");
  const switches = ["all", "default"].map((scope) => `/proc/sys/net/ipv6/conf/${scope}/disable_ipv6`);
  const before = switches.map((file) => readFileSync(file));
  t.teardown(() => {
    for (const [index, file] of switches.entries()) writeFileSync(file, before[index] ?? "0");
  });
  for (const file of switches) writeFileSync(file, "1");
  const both = [ipPrefix("fd00::2", "64", "it"), ipPrefix("10.1.0.2", "24", "it")];
  await network().updateInterface(wanted({ addresses: both }));
  t.same(await addresses("eth0"), ["10.1.0.2/24"]);
});

test("a NIC that is not there is Link not found, and found once it has come", async (t) => {
  const guest = network();
  await t.rejects(guest.updateInterface(wanted()), { code: 13, message: /Link not found/ });
  cable(t, "veth7");
  await guest.updateInterface(wanted());
  t.ok((await link("eth0")).up);
});

test("a link that only has the wanted name stays untouched", async (t) => {
  cable(t, "eth0");
  const other = wanted({ hardwareAddress: "02:00:00:00:00:99" });
  await t.rejects(network().updateInterface(other), { code: 13, message: /Link not found/ });
  t.match(await link("eth0"), { hardwareAddress: mac, up: false });
});

test("the NIC of a template gets the hardware address of its pod, once", async (t) => {
  // A NIC without a cable: the only one here.
  ip("link", "add", "eth0", "address", mac, "type", "bridge");
  t.teardown(() => ip("link", "delete", "dev", "eth0"));
  const guest = network();
  const podMac = "02:00:00:00:00:77";
  await guest.updateInterface(wanted({ hardwareAddress: podMac }));
  t.match(await link("eth0"), { hardwareAddress: podMac, up: true });
  const next = wanted({ hardwareAddress: "02:00:00:00:00:78" });
  await t.rejects(guest.updateInterface(next), { message: /Link not found/ });
  t.match(await link("eth0"), { hardwareAddress: podMac });
});

test("a physical NIC gets the hardware address that the host meant, a virtio NIC does not", async (t) => {
  cable(t, "veth7");
  const sysfs = mkdtempSync(join(tmpdir(), "sysfs-"));
  t.teardown(() => rmSync(sysfs, { recursive: true }));
  mkdirSync(join(sysfs, "class/net"), { recursive: true });
  const plug = (name: string, device: string) => {
    mkdirSync(join(sysfs, "devices/pci0000:00", device, name), { recursive: true });
    symlinkSync(`../../devices/pci0000:00/${device}/${name}`, join(sysfs, "class/net", name));
  };
  plug("veth7", "0000:00:02.0/net");
  plug("end", "0000:00:03.0/virtio4/net");
  const uevents = new Uevents({ log: silentLog, timeoutMs: 0 });
  const guest = new Network({ log: silentLog, uevents, sysfs });
  const meant = "02:00:00:00:00:55";
  await guest.updateInterface(wanted({ hardwareAddress: meant, pciPath: pciPath("02") }));
  t.match(await link("eth0"), { hardwareAddress: meant, up: true });
  const virtio = wanted({ hardwareAddress: "02:00:00:00:00:56", pciPath: pciPath("03") });
  await t.rejects(guest.updateInterface(virtio), { message: /Link not found/ });
  t.match(await link("end"), { hardwareAddress: otherMac });
});

test("requests at the same time come one after the other, and one that fails holds up no other", async (t) => {
  cable(t, "veth7", "veth8");
  const guest = network();
  const results = await Promise.allSettled([
    guest.updateInterface(wanted({ name: "eth1" })),
    guest.updateInterface(wanted({ hardwareAddress: "02:00:00:00:00:99", name: "eth2" })),
    guest.updateInterface(wanted({ hardwareAddress: otherMac, name: "eth1" })),
    guest.updateInterface(wanted({ name: "eth0" })),
  ]);
  t.same(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
  t.match(await link("eth0"), { hardwareAddress: mac });
  t.match(await link("eth1"), { hardwareAddress: otherMac });
});
