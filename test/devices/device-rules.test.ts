import { test } from "tap";
import { deviceRules } from "../../src/devices/device-rules.ts";
import type { OciSpec } from "../../src/runtime/oci.ts";

// agent-api 5.6 and 10.1: device cgroup default-deny
const denyAll = { allow: false, access: "rwm" };

function spec(linux: OciSpec["linux"] = {}, bounding: string[] = []): OciSpec {
  const process = { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 }, capabilities: { bounding } };
  return { ociVersion: "1.0.2", process, linux };
}

test("a container may use the harmless devices and those of its document, nothing else", async (t) => {
  const devices = [
    { path: "/dev/fuse", type: "c", major: 10n, minor: 229n },
    { path: "/dev/u", type: "u", major: 9n, minor: 9n },
    { path: "/dev/fifo", type: "p" },
  ];
  const rule = { allow: false, type: "c", major: 10n, minor: 229n, access: "w" };
  const rules =
    deviceRules(spec({ devices, resources: { devices: [denyAll, rule] } }), [denyAll, rule]) ?? [];
  t.strictSame(rules[0], denyAll);
  t.strictSame(rules.slice(-3), [
    { allow: true, type: "c", major: 10n, minor: 229n, access: "rwm" },
    { allow: true, type: "c", major: 9n, minor: 9n, access: "rwm" },
    rule,
  ]);
  const plain = rules
    .slice(1, -3)
    .map(({ type, major, minor, access }) => `${type} ${major}:${minor} ${access}`);
  t.strictSame(plain.toSorted(), [
    "b undefined:undefined m",
    "c 10:200 rwm",
    "c 136:undefined rwm",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c undefined:undefined m",
  ]);
});

test("who is sent leave for all devices is not restricted", async (t) => {
  for (const rule of [{ allow: true }, { allow: true, type: "a", access: "rwm" }]) {
    t.equal(deviceRules(spec(), [denyAll, rule]), undefined, JSON.stringify(rule));
  }
  for (const rule of [{ allow: true, type: "a", access: "r" }, { allow: true, type: "c" }, denyAll]) {
    t.ok(deviceRules(spec(), [rule]), JSON.stringify(rule));
  }
});

test("a privileged container, whose rules the runtimes strip, is not restricted, but honours rules of its own", async (t) => {
  t.equal(deviceRules(spec({}, ["CAP_CHOWN", "CAP_SYS_ADMIN"]), []), undefined);
  t.ok(deviceRules(spec({}, ["CAP_SYS_ADMIN"]), [denyAll]));
  t.ok(deviceRules(spec({}, ["CAP_MKNOD"]), []));
});
