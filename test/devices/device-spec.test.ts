import { test } from "tap";
import { withGuestNodes } from "../../src/devices/device-spec.ts";
import type { OciDeviceRule, OciSpec } from "../../src/runtime/oci.ts";

// agent-api 4.4: the document speaks of this guest's devices
const disk = { path: "/dev/xda", type: "b", major: 8n, minor: 16n, fileMode: 0o660 };
const other = { path: "/dev/fuse", type: "c", major: 10n, minor: 229n };
const rules: OciDeviceRule[] = [
  { allow: false, access: "rwm" },
  { allow: true, type: "b", major: 8n, minor: 16n, access: "rm" },
  { allow: true, type: "c", major: 8n, minor: 16n, access: "rm" },
];

function spec(devices: NonNullable<NonNullable<OciSpec["linux"]>["devices"]>): OciSpec {
  return { ociVersion: "1.0.2", linux: { devices, resources: { devices: rules, pids: { limit: 5n } } } };
}

test("a device gets the guest's number, and so do the rules about it", async (t) => {
  const placed = [{ containerPath: "/dev/xda", node: { type: "b", major: 254, minor: 32 } as const }];
  const { linux } = withGuestNodes(spec([other, disk]), placed);
  t.strictSame(linux?.devices, [other, { ...disk, major: 254n, minor: 32n }]);
  t.strictSame(linux?.resources, {
    pids: { limit: 5n },
    devices: [
      rules[0],
      { ...rules[1], major: 254n, minor: 32n },
      rules[2],
      { allow: true, type: "b", major: 254n, minor: 32n, access: "rwm" },
    ],
  });
});

test("a VFIO group takes the place of the path that was asked for", async (t) => {
  const group = { path: "/dev/vfio/77", type: "c", major: 241n, minor: 0n };
  const node = { type: "c", major: 240, minor: 1, path: "/dev/vfio/3" } as const;
  const { linux } = withGuestNodes(spec([group]), [{ containerPath: "/dev/vfio/77", node }]);
  t.strictSame(linux?.devices, [{ path: "/dev/vfio/3", type: "c", major: 240n, minor: 1n }]);
});

test("a device that the document does not have is refused", async (t) => {
  const placed = [{ containerPath: "/dev/xdb", node: { type: "b", major: 254, minor: 0 } as const }];
  t.throws(() => withGuestNodes(spec([disk]), placed), { code: 13, message: /missing in the spec/ });
});

test("one device of the host cannot be two of the guest", async (t) => {
  const placed = [
    { containerPath: "/dev/xda", node: { type: "b", major: 254, minor: 0 } as const },
    { containerPath: "/dev/xdb", node: { type: "b", major: 254, minor: 16 } as const },
  ];
  t.throws(() => withGuestNodes(spec([disk, { ...disk, path: "/dev/xdb" }]), placed), { code: 13 });
});
