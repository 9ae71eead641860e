import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { containerId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { ContainerDevices } from "../../src/devices/container-devices.ts";
import type { Device, DeviceDriver } from "../../src/devices/device.ts";
import { withInfiniband } from "../../src/devices/infiniband.ts";
import type { OciSpec } from "../../src/runtime/oci.ts";

// agent-api 4.4
const never = new AbortController().signal;
const pod = containerId("pod1");
const cdi = { folder: "/nowhere", timeoutMs: 0, fromEnvironment: false, log: silentLog };
const nic: DeviceDriver = async ({ options }) => {
  return { addresses: options.map((pair) => pair.split(">") as [string, string]) };
};
const disk: DeviceDriver = async () => ({ node: { type: "b", major: 254, minor: 0 } });
const drivers = new Map([
  ["vfio-pci-gk", nic],
  ["blk", disk],
]);

function spec(): OciSpec {
  const env = ["PCIDEVICE_A=0000:3b:00.0,0000:3b:00.1", "PCIDEVICE_A_INFO={0000:3b:00.1}"];
  return {
    ociVersion: "1.0.2",
    process: { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 }, env },
    linux: { devices: [{ path: "/dev/d", type: "b", major: 8n, minor: 1n }] },
  };
}

function device(more: Partial<Device>): Device {
  return { id: "1", type: "vfio-pci-gk", vmPath: "", containerPath: "/dev/vfio/1", options: [], ...more };
}

test("addresses of all devices of a container hold for init and for execs until it is forgotten", async (t) => {
  const devices = new ContainerDevices(drivers, cdi);
  const wanted = [
    device({ options: ["0000:3b:00.0>0000:01:00.0"] }),
    device({ options: ["0000:3b:00.1>0000:02:00.0"] }),
  ];
  const { process: init } = await devices.prepare(pod, spec(), wanted, [], never);
  t.strictSame(init?.env, ["PCIDEVICE_A=0000:01:00.0,0000:02:00.0", "PCIDEVICE_A_INFO={0000:02:00.0}"]);
  const ofExec = ["PCIDEVICE_B=0000:3b:00.1"];
  t.strictSame(devices.environment(pod, ofExec), ["PCIDEVICE_B=0000:02:00.0"]);
  t.strictSame(devices.environment(containerId("pod2"), ofExec), ofExec, "of this container only");
  devices.forget(pod);
  t.strictSame(devices.environment(pod, ofExec), ofExec);
});

test("one device of the host cannot be two of the guest", async (t) => {
  const devices = new ContainerDevices(drivers, cdi);
  const options = ["0000:3b:00.0>0000:01:00.0", "0000:3b:00.0>0000:02:00.0"];
  await t.rejects(devices.prepare(pod, spec(), [device({ options })], [], never), { code: 13 });
});

test("a disk is put in its place and allowed, everything else denied", async (t) => {
  const devices = new ContainerDevices(drivers, cdi);
  const wanted = [device({ type: "blk", containerPath: "/dev/d" })];
  const { linux } = await devices.prepare(pod, spec(), wanted, [], never);
  t.strictSame(linux?.devices, [{ path: "/dev/d", type: "b", major: 254n, minor: 0n }]);
  t.strictSame(linux?.resources?.devices?.[0], { allow: false, access: "rwm" });
  t.match(linux?.resources?.devices?.at(-1), { allow: true, type: "b", major: 254n, minor: 0n });
});

test("nothing is waited for before the whole list is looked through", async (t) => {
  let asked = 0;
  const counting = new ContainerDevices(
    new Map([
      [
        "blk",
        async () => {
          asked += 1;
          return {};
        },
      ],
    ]),
    cdi,
  );
  const one = device({ type: "blk", containerPath: "/dev/d" });
  await t.rejects(counting.prepare(pod, spec(), [one, one], [], never), /two devices have one path/);
  await t.rejects(counting.prepare(pod, spec(), [one, { ...one, containerPath: "" }], [], never), {
    code: 13,
  });
  t.equal(asked, 0);
});

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), "infiniband-"));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

test("InfiniBand's character devices are added with their mode and owner, once", async (t) => {
  const dir = folder(t);
  symlinkSync("/dev/null", join(dir, "uverbs0"));
  symlinkSync("/etc/passwd", join(dir, "no-device"));
  const before = spec();
  before.linux?.devices?.push({ path: "/dev/infiniband/uverbs0", type: "c", major: 231n, minor: 192n });
  const { linux } = await withInfiniband(before, dir);
  t.strictSame(linux?.devices, [
    { path: "/dev/d", type: "b", major: 8n, minor: 1n },
    { path: "/dev/infiniband/uverbs0", type: "c", major: 1n, minor: 3n, fileMode: 0o666, uid: 0, gid: 0 },
  ]);
  t.equal(await withInfiniband(before, "/nowhere"), before, "without such a card nothing changes");
});
