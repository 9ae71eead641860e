import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { Code } from "../../src/base/code.ts";
import { silentLog } from "../../src/base/log.ts";
import { BlockDevices } from "../../src/devices/block-devices.ts";
import { pciPath } from "../../src/devices/pci-path.ts";
import { scsiAddress } from "../../src/devices/scsi-address.ts";
import { Uevents } from "../../src/devices/uevents.ts";

const longMs = 60_000;

/** A tree like sysfs in which a test plugs disks. */
function machine(t: Test, timeoutMs = longMs) {
  const sysfs = mkdtempSync(join(tmpdir(), "sysfs-"));
  t.teardown(() => rmSync(sysfs, { recursive: true }));
  let wake = () => {};
  const uevents = new Uevents({
    log: silentLog,
    timeoutMs,
    pollMs: longMs,
    open: (onEvent) => {
      wake = () => onEvent({ action: "add" } as Parameters<typeof onEvent>[0]);
      return { [Symbol.dispose]: () => undefined };
    },
  });
  uevents.start();
  t.teardown(() => uevents.close());
  mkdirSync(join(sysfs, "class/block"), { recursive: true });
  const disk = (device: string, uevent: string) => {
    const folder = join(sysfs, "devices", device);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "uevent"), uevent);
    symlinkSync(`../../devices/${device}`, join(sysfs, "class/block", device.split("/").at(-1) ?? ""));
    return folder;
  };
  return {
    sysfs,
    disk,
    wake: () => wake(),
    devices: new BlockDevices({ uevents, ownsMachine: true, sysfs, dev: "/dev" }),
  };
}

const text = (name: string, minor: number) =>
  `MAJOR=254\nMINOR=${minor}\nDEVNAME=${name}\nDEVTYPE=disk\nDISKSEQ=1\n`;

test("a disk is found by its PCI path, on the first root bus, behind a bridge, on another root (4.5)", async (t) => {
  const { devices, disk, sysfs } = machine(t, 0);
  disk("pci0000:00/0000:00:03.0/virtio1/block/vda", text("vda", 0));
  mkdirSync(join(sysfs, "devices/pci0000:00/0000:00:02.0/pci_bus/0000:01"), { recursive: true });
  const sysfsPath = disk("pci0000:00/0000:00:02.0/0000:01:05.0/virtio2/block/vdb", text("vdb", 16));
  mkdirSync(join(sysfsPath, "vdb1"));
  mkdirSync(join(sysfs, "devices/pci0000:20/0000:20:00.0/pci_bus/0000:21"), { recursive: true });
  disk("pci0000:20/0000:20:00.0/0000:21:02.0/virtio3/block/vdc", text("vdc", 32));
  t.match(await devices.byPciPath(pciPath("03")), { path: "/dev/vda", major: 254, minor: 0 });
  t.same(await devices.byPciPath(pciPath("02/05")), { path: "/dev/vdb", major: 254, minor: 16, sysfsPath });
  t.match(await devices.byPciPath(pciPath("20/00/02")), { path: "/dev/vdc", minor: 32 });
});

test("a disk that comes while it is waited for is found, a NIC in its place is not a disk (5.2)", async (t) => {
  const { devices, disk, sysfs, wake } = machine(t);
  mkdirSync(join(sysfs, "devices/pci0000:00/0000:00:03.0/virtio1/net/eth0"), { recursive: true });
  let found = false;
  const wait = devices.byPciPath(pciPath("04")).then((device) => {
    found = true;
    return device;
  });
  wake();
  mkdirSync(join(sysfs, "devices/pci0000:00/0000:00:04.0/virtio2/block/vda"), { recursive: true });
  wake();
  for (let count = 0; count < 50; count++) await new Promise((resolve) => setImmediate(resolve));
  t.equal(found, false, "its folder is there, but the kernel has not said its number");
  disk("pci0000:00/0000:00:04.0/virtio2/block/vda", text("vda", 0));
  wake();
  t.match(await wait, { path: "/dev/vda" });
  const caller = new AbortController();
  const given = devices.byPciPath(pciPath("03"), caller.signal);
  caller.abort(new Error("went away"));
  await t.rejects(given, { message: "went away" });
});

test("a disk is found by its SCSI address on the first host, or on a virtio host, after a scan (4.6)", async (t) => {
  const { devices, disk, sysfs, wake } = machine(t);
  const scan = join(sysfs, "class/scsi_host/host0/scan");
  mkdirSync(join(scan, ".."), { recursive: true });
  writeFileSync(scan, "");
  const scsi = (host: string, address: string, name: string) =>
    disk(`${host}/target0/${address}/block/${name}`, text(name, 0));
  const wait = devices.byScsi(scsiAddress("1:2"));
  while (readFileSync(scan, "utf8") === "") await new Promise((resolve) => setImmediate(resolve));
  scsi("pci0000:00/0000:00:1f.2/ata1/host1", "1:0:1:2", "sda");
  scsi("pci0000:00/0000:00:03.0/virtio1/host0", "0:0:1:20", "sdb");
  scsi("pci0000:00/0000:00:03.0/virtio1/host0", "0:0:1:2", "sdc");
  wake();
  t.match(await wait, { path: "/dev/sdc" });
  t.equal(readFileSync(scan, "utf8"), "0 1 2");
  scsi("pci0000:00/0000:00:04.0/virtio2/host6", "6:0:7:0", "sdd");
  t.match(await devices.byScsi(scsiAddress("7:0")), { path: "/dev/sdd" });
});

test("what is no SCSI address is refused", (t) => {
  for (const bad of ["", "1", "1:", ":1", "1:2:3", "0x1:2", "-1:2", "256:0", "1:16384", "1:2\n", "1 :2"]) {
    t.throws(() => scsiAddress(bad), { code: Code.internal }, bad);
  }
  t.same(scsiAddress("255:16383"), { target: 255, lun: 16_383 });
  t.end();
});

test("a path outside /dev, or of no block device, is refused; one that does not come is waited for", async (t) => {
  const { devices } = machine(t, 5);
  for (const bad of ["/etc/passwd", "vda", "/dev/../etc/passwd", "/dev", "/dev/null"]) {
    await t.rejects(devices.byNode(bad), { code: Code.internal, message: /device path/ }, bad);
  }
  await t.rejects(devices.byNode("/dev/no-such-disk"), { message: /did not come/ });
});
