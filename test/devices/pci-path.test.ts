import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { pciDeviceFolder, pciPath, pciPathOfSlots } from "../../src/devices/pci-path.ts";

for (const [text, root, slots] of [
  ["02", "00", ["02.0"]],
  ["02/01", "00", ["02.0", "01.0"]],
  ["2/1f.7", "00", ["02.0", "1f.7"]],
  ["1F", "00", ["1f.0"]],
  ["20/00/02", "20", ["00.0", "02.0"]],
  ["FF/00/02/03", "ff", ["00.0", "02.0", "03.0"]],
  ["1f/00/02", "00", ["1f.0", "00.0", "02.0"]],
] as const) {
  test(`the PCI path ${text} starts on bus ${root} and goes by ${slots.join(", ")}`, async (t) => {
    t.same(pciPath(text), { root, slots });
  });
}

for (const text of [
  "",
  "/",
  "02/",
  "/02",
  "20",
  "20/00",
  "02.8",
  "002",
  "zz",
  "02/../03",
  "0000:00:02.0",
  "02 ",
  "02\n",
  `${"02/".repeat(300)}02`,
]) {
  test(`${JSON.stringify(text.slice(0, 20))} is no PCI path`, async (t) => {
    t.throws(() => pciPath(text), { code: 13, message: "invalid PCI path" });
  });
}

async function sysfs(t: Test, ...folders: readonly string[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "sysfs-"));
  t.teardown(() => rm(root, { recursive: true }));
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  return root;
}

test("the bus behind a bridge is the one that it names", async (t) => {
  const root = await sysfs(t, "devices/pci0000:00/0000:00:02.0/pci_bus/0000:01");
  const folder = await pciDeviceFolder(root, pciPath("02/03"));
  t.equal(folder, join(root, "devices/pci0000:00/0000:00:02.0/0000:01:03.0"));
});

test("a bridge that names no bus shows it by its devices", async (t) => {
  const root = await sysfs(
    t,
    "devices/pci0000:00/0000:00:02.0/0000:05:00.0",
    "devices/pci0000:00/0000:00:02.0/0000:05:03.0",
    "devices/pci0000:00/0000:00:02.0/power",
  );
  const folder = await pciDeviceFolder(root, pciPath("02/03"));
  t.equal(folder, join(root, "devices/pci0000:00/0000:00:02.0/0000:05:03.0"));
});

test("a path below another root complex starts on its bus", async (t) => {
  const root = await sysfs(t, "devices/pci0000:00", "devices/pci0000:20/0000:20:00.0/pci_bus/0000:21");
  const folder = await pciDeviceFolder(root, pciPath("20/00/02"));
  t.equal(folder, join(root, "devices/pci0000:20/0000:20:00.0/0000:21:02.0"));
});

test("the root complex of a device tree is found below its controller", async (t) => {
  const root = await sysfs(t, "devices/platform/serial", "devices/platform/4010000000.pcie/pci0000:00");
  const folder = await pciDeviceFolder(root, pciPath("04"));
  t.equal(folder, join(root, "devices/platform/4010000000.pcie/pci0000:00/0000:00:04.0"));
});

test("a bridge that is not there yet, or leads to several buses, leads nowhere", async (t) => {
  const root = await sysfs(
    t,
    "devices/pci0000:00/0000:00:03.0/pci_bus/0000:01",
    "devices/pci0000:00/0000:00:03.0/pci_bus/0000:02",
  );
  t.equal(await pciDeviceFolder(root, pciPath("02/01")), undefined);
  t.equal(await pciDeviceFolder(root, pciPath("03/01")), undefined);
  t.equal(await pciDeviceFolder(root, pciPath("20/00/02")), undefined);
});

test("a PCI path of slot numbers is the same below the first root bus (3.30)", (t) => {
  t.same(pciPathOfSlots([2, 31]), pciPath("02/1f"));
  t.same(pciPathOfSlots([0x1f, 2, 3]).root, "00");
  for (const bad of [[], [32], [-1], [1.5], new Array(257).fill(1)]) {
    t.throws(() => pciPathOfSlots(bad), { code: 13 });
  }
  t.end();
});
