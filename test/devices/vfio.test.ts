import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import type { Device } from "../../src/devices/device.ts";
import { Uevents } from "../../src/devices/uevents.ts";
import { type Vfio, vfioForGuestKernel, vfioGroup } from "../../src/devices/vfio.ts";

// agent-api 4.4: vfio-pci-gk and vfio-pci, on made-up trees
const never = new AbortController().signal;

// For what comes.
const longMs = 60_000;

function machine(t: Test, timeoutMs = longMs) {
  const root = mkdtempSync(join(tmpdir(), "vfio-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  const sysfs = join(root, "sys");
  const bridge = join(sysfs, "devices/pci0000:00/0000:00:02.0");
  mkdirSync(join(bridge, "pci_bus/0000:01"), { recursive: true });
  mkdirSync(join(sysfs, "bus/pci/devices"), { recursive: true });
  mkdirSync(join(sysfs, "bus/pci/drivers/mlx5"), { recursive: true });
  mkdirSync(join(root, "dev/vfio"), { recursive: true });
  writeFileSync(join(sysfs, "bus/pci/drivers_probe"), "");
  const uevents = new Uevents({
    log: silentLog,
    timeoutMs,
    pollMs: 5,
    open: () => ({ [Symbol.dispose]() {} }),
  });
  uevents.start();
  t.teardown(() => uevents.close());
  let loads = 0;
  const loadDriver = async () => {
    loads += 1;
    mkdirSync(join(sysfs, "bus/pci/drivers/vfio-pci"));
  };
  const vfio: Vfio = { uevents, mayBind: true, loadDriver, sysfs, dev: join(root, "dev") };
  return {
    vfio,
    loads: () => loads,
    text: (path: string) => readFileSync(join(sysfs, path), "utf8"),
    /** A device behind the bridge, with a driver and a group. */
    plug(slot: string, { group, driver }: { group?: string; driver?: string } = {}) {
      const address = `0000:01:${slot}`;
      const folder = join(bridge, address);
      mkdirSync(folder);
      symlinkSync(folder, join(sysfs, "bus/pci/devices", address));
      writeFileSync(join(folder, "driver_override"), "");
      if (group !== undefined) symlinkSync(`/nowhere/iommu_groups/${group}`, join(folder, "iommu_group"));
      if (driver === undefined) return;
      const home = join(sysfs, "bus/pci/drivers", driver);
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, "unbind"), "");
      symlinkSync(home, join(folder, "driver"));
    },
    /** The node of a group: only its kind and number count, and those of /dev/null are as good as any. */
    node: (group: string) => symlinkSync("/dev/null", join(root, "dev/vfio", group)),
  };
}

function device(...options: string[]): Device {
  return { id: "7", type: "vfio-pci", vmPath: "", containerPath: "/dev/vfio/7", options };
}

test("devices for the guest's kernel are waited for and left alone; their addresses are told", async (t) => {
  const { vfio, plug, loads } = machine(t);
  const found = vfioForGuestKernel(vfio, device("0000:AF:00.1=02/03", "0000:af:00.2="), never);
  plug("03.0", { driver: "mlx5" });
  t.strictSame(
    await found,
    { addresses: [["0000:af:00.1", "0000:01:03.0"]] },
    "without a path it is passed over",
  );
  t.equal(loads(), 0);
});

test("a device that does not come fails, and the wait ends with its call", async (t) => {
  const { vfio } = machine(t, 20);
  await t.rejects(vfioForGuestKernel(vfio, device("0000:af:00.1=02/03"), never), { code: 13 });
  const gone = AbortSignal.abort(new Error("gone"));
  await t.rejects(vfioForGuestKernel(vfio, device("0000:af:00.1=02/03"), gone), { message: "gone" });
});

test("devices for a program are taken from their drivers, and the node of their group is theirs", async (t) => {
  const { vfio, plug, node, text, loads } = machine(t);
  plug("03.0", { driver: "mlx5", group: "12" });
  plug("03.1", { driver: "vfio-pci", group: "12" });
  plug("03.2", { group: "12" });
  node("12");
  const found = await vfioGroup(
    vfio,
    device("0000:af:00.1=02/03", "0000:af:00.2=02/03.1", "0000:af:00.3=02/03.2"),
    never,
  );
  t.strictSame(found.node, { type: "c", major: 1, minor: 3, path: "/dev/vfio/12" });
  t.strictSame(
    found.addresses?.map(([, guest]) => guest),
    ["0000:01:03.0", "0000:01:03.1", "0000:01:03.2"],
  );
  t.equal(text("bus/pci/devices/0000:01:03.0/driver_override"), "vfio-pci");
  t.equal(text("bus/pci/drivers/mlx5/unbind"), "0000:01:03.0");
  t.equal(text("bus/pci/drivers/vfio-pci/unbind"), "", "what is vfio-pci's already stays");
  t.match(text("bus/pci/drivers_probe"), /0000:01:03\.2/, "a device without a driver is only given away");
  t.equal(loads(), 0, "the driver was there");
});

test("the driver is loaded when the kernel does not have it yet", async (t) => {
  const { vfio, plug, node, loads } = machine(t);
  plug("03.0", { driver: "mlx5", group: "1" });
  node("1");
  await vfioGroup(vfio, device("0000:af:00.1=02/03"), never);
  t.equal(loads(), 1);
});

// agent-api 4.4
test("two groups in one request, no group, and no device are refused", async (t) => {
  const { vfio, plug } = machine(t);
  plug("03.0", { group: "1" });
  plug("04.0", { group: "2" });
  plug("05.0");
  const cases = { "two groups": ["03", "04"], "no group": ["05"], "no device": [] };
  for (const [name, slots] of Object.entries(cases)) {
    const options = slots.map((slot) => `0000:af:00.1=02/${slot}`);
    await t.rejects(vfioGroup(vfio, device(...options), never), { code: 13, message: /group/ }, name);
  }
  const bare = machine(t, 1_000);
  bare.plug("03.0", { group: "1" });
  await t.rejects(vfioGroup(bare.vfio, device("0000:af:00.1=02/03"), never), /VFIO group did not come/);
});

test("malformed options are refused, and devices of a machine that is not ours are not touched", async (t) => {
  const { vfio, plug, text } = machine(t);
  plug("03.0", { driver: "mlx5", group: "1" });
  for (const option of ["", "0000:af:00.1", "af:00.1=02/03", "0000:af:00.1=02/03=x", "0000:af:00.1=../03"]) {
    await t.rejects(vfioForGuestKernel(vfio, device(option), never), { code: 13 }, option);
  }
  await t.rejects(vfioGroup({ ...vfio, mayBind: false }, device("0000:af:00.1=02/03"), never), /EPERM/);
  t.equal(text("bus/pci/drivers/mlx5/unbind"), "");
});
