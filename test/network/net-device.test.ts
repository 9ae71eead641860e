import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import { pciPath } from "../../src/devices/pci-path.ts";
import { Uevents } from "../../src/devices/uevents.ts";
import { netDeviceArrived, physicalNetDevice } from "../../src/network/net-device.ts";
import { enterPrivateNetwork, ip } from "../fakes/private-network.ts";

enterPrivateNetwork();

const longMs = 60_000;

/** A tree like sysfs with one bridge; the events come from the kernel, for real links of this namespace. */
function machine(t: Test) {
  const sysfs = mkdtempSync(join(tmpdir(), "sysfs-"));
  t.teardown(() => rmSync(sysfs, { recursive: true }));
  mkdirSync(join(sysfs, "devices/pci0000:00/0000:00:02.0/pci_bus/0000:01"), { recursive: true });
  mkdirSync(join(sysfs, "class/net"), { recursive: true });
  return {
    sysfs,
    /** Makes the device `name` below the path that sysfs has for a PCI device. */
    plug(name: string, device: string) {
      mkdirSync(join(sysfs, "devices/pci0000:00", device, name), { recursive: true });
      symlinkSync(`../../devices/pci0000:00/${device}/${name}`, join(sysfs, "class/net", name));
    },
  };
}

/** The kernel's events and nothing but them: a clock would hide one that was missed. */
function events(t: Test, timeoutMs = longMs): Uevents {
  const uevents = new Uevents({ log: silentLog, timeoutMs, pollMs: longMs });
  uevents.start();
  t.teardown(() => uevents.close());
  return uevents;
}

/** Lets the kernel say that a link was added. */
function event(t: Test, name: string) {
  ip("link", "add", name, "type", "veth", "peer", "name", `${name}p`);
  t.teardown(() => ip("link", "delete", "dev", name));
}

test("a device that is there already is found without waiting", async (t) => {
  const { sysfs, plug } = machine(t);
  plug("eth0", "0000:00:02.0/0000:01:03.0/virtio4/net");
  await netDeviceArrived(pciPath("02/03"), { uevents: events(t, 0), sysfs });
});

test("a device that comes later is found by its event", async (t) => {
  const { sysfs, plug } = machine(t);
  let arrived = false;
  const arrival = netDeviceArrived(pciPath("02/03"), { uevents: events(t), sysfs }).then(() => {
    arrived = true;
  });
  // Another link first: its event wakes the wait, and nothing of it is below our device.
  event(t, "other");
  plug("eth1", "0000:00:02.0/0000:01:04.0/virtio5/net");
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(arrived, false);
  plug("eth0", "0000:00:02.0/0000:01:03.0/virtio4/net");
  event(t, "ours");
  await arrival;
});

test("a device that comes during the first look, before anybody listens to events, is not missed", async (t) => {
  const { sysfs, plug } = machine(t);
  // So many other links that the look, which has read their list, takes its time with them.
  for (let count = 0; count < 1000; count++) plug(`other${count}`, "0000:00:05.0/virtio1/net");
  const arrival = netDeviceArrived(pciPath("02/03"), { uevents: events(t), sysfs });
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  plug("eth0", "0000:00:02.0/0000:01:03.0/virtio4/net");
  event(t, "early");
  await arrival;
});

test("a device whose path only begins alike is another one", async (t) => {
  const { sysfs, plug } = machine(t);
  plug("eth0", "0000:00:02.0/0000:01:03.05/virtio4/net");
  await t.rejects(netDeviceArrived(pciPath("02/03"), { uevents: events(t, 20), sysfs }), { code: 13 });
});

test("when the time is over the error has the text that callers try again for", async (t) => {
  const { sysfs } = machine(t);
  const wait = netDeviceArrived(pciPath("02/03"), { uevents: events(t, 20), sysfs });
  await t.rejects(wait, { code: 13, message: /Link not found/ });
});

test("a wait that its caller gives up ends with the caller's reason", async (t) => {
  const { sysfs } = machine(t);
  const caller = new AbortController();
  const wait = netDeviceArrived(pciPath("02/03"), { uevents: events(t), sysfs, signal: caller.signal });
  caller.abort(new Error("went away"));
  await t.rejects(wait, { message: "went away" });
});

test("a physical NIC has its network device directly below the PCI device, a virtio NIC has not", async (t) => {
  const { sysfs, plug } = machine(t);
  plug("eth0", "0000:00:02.0/0000:01:03.0/virtio4/net");
  plug("enp0", "0000:00:02.0/0000:01:04.0/net");
  t.equal(await physicalNetDevice(sysfs, pciPath("02/03")), undefined);
  t.equal(await physicalNetDevice(sysfs, pciPath("02/04")), "enp0");
});
