/** Passed-through PCI devices behind an emulated IOMMU (agent-api 4.4: vfio-pci, vfio-pci-gk). */
import t, { type Test } from "tap";
import { whyNoVm } from "../../scripts/vm-requirements.ts";
import { DeviceGuest } from "./device-guest.ts";

const skip = whyNoVm() ?? false;
const env = ["PCIDEVICE_TEST=0000:3b:00.1"];
const options = ["0000:3b:00.1=05/00"];
const nic = { driver: "virtio-net-pci", id: "nic", bus: "port05", netdev: "cable", "disable-legacy": "on" };

t.test("VFIO devices in a guest", { skip }, async (t) => {
  const iommu = ["-device", "intel-iommu", "-netdev", "hubport,hubid=0,id=cable"];
  await using guest = await DeviceGuest.boot(["05"], iommu, "intel_iommu=on");
  await guest.calls.CreateSandbox({ sandbox_id: "vfio" });
  await forTheKernel(t, guest);
  await forAProgram(t, guest);
  await guest.calls.DestroySandbox({});
});

const look = "echo $PCIDEVICE_TEST; cd /sys/bus/pci/devices/$PCIDEVICE_TEST; basename $(readlink driver)";

function forTheKernel(t: Test, guest: DeviceGuest): Promise<unknown> {
  return t.test(
    "a device for the guest's kernel keeps its driver, and its address is the guest's",
    async (t) => {
      const device = { id: "77", type: "vfio-pci-gk", container_path: "/dev/vfio/77", options };
      const started = guest.start("gk", look, { devices: [device], env });
      await guest.plug({ ...nic, iommu_platform: "on" });
      await started;
      t.match(await guest.end("gk"), /^0000:[0-9a-f]{2}:00\.0\nvirtio-pci\n$/);
    },
  );
}

function forAProgram(t: Test, guest: DeviceGuest): Promise<unknown> {
  return t.test(
    "a device for a program is given to vfio-pci, and the program may open its group",
    async (t) => {
      const device = { id: "77", type: "vfio-pci", container_path: "/dev/vfio/77", options };
      const nodes = [{ Path: "/dev/vfio/77", Type: "c", Major: 241n, Minor: 7n, FileMode: 0o600 }];
      const open = "for group in /dev/vfio/*; do echo $group; exec 3<>$group && echo opened; done";
      const said = await guest.run("program", `${look}; ${open}`, { devices: [device], nodes, env });
      t.match(said, /^0000:[0-9a-f]{2}:00\.0\nvfio-pci\n\/dev\/vfio\/\d+\nopened\n$/);
      t.notMatch(said, /vfio\/77/);
    },
  );
}
