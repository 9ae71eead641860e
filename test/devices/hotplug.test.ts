import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { type Log, silentLog } from "../../src/base/log.ts";
import { Hotplug } from "../../src/devices/hotplug.ts";
import type { Uevent } from "../../src/sys/uevent.ts";

const event = (more: Partial<Uevent>): Uevent => ({
  action: "add",
  devpath: "/devices/x",
  subsystem: "virtio",
  devname: "",
  interface: "",
  modalias: "",
  sequence: 1,
  ...more,
});

/** A hotplug on a made-up tree whose loads are written down, and go on when the test says so. */
function guest(t: Test, log: Log = silentLog) {
  const sysfs = mkdtempSync(join(tmpdir(), "sysfs-"));
  t.teardown(() => rmSync(sysfs, { recursive: true }));
  const loads: (readonly string[])[] = [];
  const gates: (() => void)[] = [];
  const load = (names: readonly string[]) => {
    loads.push(names);
    return new Promise<void>((resolve) => gates.push(resolve));
  };
  const next = async () => {
    gates.shift()?.();
    for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { sysfs, loads, next, hotplug: new Hotplug({ log, sysfs, load }) };
}

test("a new device has the module for it loaded, one run at a time and each name once", async (t) => {
  const { hotplug, loads, next } = guest(t);
  hotplug.take(event({ modalias: "virtio:a" }));
  for (let count = 0; count < 3; count++) {
    hotplug.take(event({ modalias: "virtio:b" }));
    hotplug.take(event({ modalias: "pci:c" }));
  }
  t.same(loads, [["virtio:a"]]);
  await next();
  t.same(loads, [["virtio:a"], ["virtio:b", "pci:c"]]);
  await next();
  hotplug.take(event({ modalias: "virtio:a" }));
  hotplug.take(event({ modalias: "gone:", action: "remove" }));
  hotplug.take(event({ modalias: "" }));
  hotplug.take(event({ modalias: "x".repeat(2000) }));
  t.equal(loads.length, 2);
});

test("a host that plugs thousands of kinds of devices costs a bounded number of names", async (t) => {
  const { hotplug, loads, next } = guest(t);
  for (let count = 0; count < 5000; count++) hotplug.take(event({ modalias: `virtio:${count}` }));
  while (loads.flat().length < 1000) await next();
  await next();
  t.equal(loads.flat().length, 1000);
  t.ok(loads.every((names) => names.length <= 32));
});

test("devices without a driver from before the first event are looked at, also when events were lost", async (t) => {
  const { hotplug, sysfs, loads, next } = guest(t);
  const device = (name: string, modalias: string, more: object = {}) => {
    const folder = join(sysfs, "bus/virtio/devices", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "modalias"), `${modalias}\n`);
    for (const file of Object.keys(more)) mkdirSync(join(folder, file));
  };
  device("virtio0", "virtio:blk", { driver: true });
  device("virtio1", "virtio:scsi");
  await hotplug.coldPlug();
  t.same(loads.flat(), ["virtio:scsi"]);
  device("virtio2", "virtio:rng");
  hotplug.take(undefined);
  while (loads.length < 2) await next();
  t.same(loads.flat(), ["virtio:scsi", "virtio:rng"]);
});

test("new memory comes online (5.1); other devices and odd paths are left alone", async (t) => {
  const { hotplug, sysfs } = guest(t);
  const online = (name: string) => join(sysfs, "devices/system/memory", name, "online");
  for (const name of ["memory7", "memory8", "other7"]) {
    mkdirSync(join(online(name), ".."), { recursive: true });
    writeFileSync(online(name), "0");
  }
  const tell = (devpath: string, more: Partial<Uevent> = {}) =>
    hotplug.take(event({ subsystem: "memory", devpath, ...more }));
  tell("/devices/system/memory/other7");
  tell("/devices/system/memory/../memory/memory8");
  tell("/devices/system/memory/memory8", { action: "remove" });
  tell("/devices/system/memory/memory8", { subsystem: "cpu" });
  tell("/devices/system/memory/memory7");
  while (readFileSync(online("memory7"), "utf8") !== "1")
    await new Promise((resolve) => setImmediate(resolve));
  t.equal(readFileSync(online("memory8"), "utf8"), "0");
  t.equal(readFileSync(online("other7"), "utf8"), "0");
});

test("a module that cannot be loaded is told, and the next is tried", async (t) => {
  const lines: string[] = [];
  const log: Log = { ...silentLog, warn: (_fields, message) => void lines.push(message) };
  let tries = 0;
  const hotplug = new Hotplug({
    log,
    load: () => {
      tries += 1;
      return Promise.reject(new Error("no modprobe"));
    },
  });
  hotplug.take(event({ modalias: "a" }));
  hotplug.take(event({ modalias: "b" }));
  while (tries < 2) await new Promise((resolve) => setImmediate(resolve));
  t.match(lines, [/modules for new devices were not loaded/]);
});
