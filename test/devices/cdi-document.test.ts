import { test } from "tap";
import { cdiDocument } from "../../src/devices/cdi-document.ts";

const device = (containerEdits: object) => ({
  cdiVersion: "0.6.0",
  kind: "example.com/gpu",
  devices: [{ name: "0", containerEdits }],
});

test("a document is read with what it leaves away filled in", async (t) => {
  const { kind, devices, edits } = cdiDocument({
    ...device({
      deviceNodes: [{ path: "/dev/gpu0" }],
      mounts: [{ hostPath: "/usr/lib/gpu", containerPath: "/usr/lib/gpu", options: ["ro", "bind"] }],
      hooks: [{ hookName: "createContainer", path: "/usr/bin/hook", args: ["hook", "x"] }],
      additionalGIDs: [0, 44],
    }),
    containerEdits: { env: ["GPU=yes"] },
  });
  t.equal(kind, "example.com/gpu");
  t.strictSame(edits.env, ["GPU=yes"]);
  t.match(devices.get("0"), {
    deviceNodes: [{ path: "/dev/gpu0", hostPath: "/dev/gpu0", permissions: "rwm", major: undefined }],
    mounts: [{ type: undefined, options: ["ro", "bind"] }],
    hooks: [{ hookName: "createContainer", timeout: undefined, env: [] }],
    additionalGids: [44],
  });
});

test("what is not as the specification says is refused as a whole", async (t) => {
  const bad: Record<string, unknown> = {
    "no mapping": [],
    "no version": { kind: "a/b", devices: [] },
    "another version": { cdiVersion: "2.0.0", kind: "a/b", devices: [] },
    "a bad kind": { cdiVersion: "0.6.0", kind: "gpu", devices: [] },
    "devices that are no list": { cdiVersion: "0.6.0", kind: "a/b", devices: { name: "0" } },
    "a device twice": { cdiVersion: "0.6.0", kind: "a/b", devices: [{ name: "0" }, { name: "0" }] },
    "a bad device name": { cdiVersion: "0.6.0", kind: "a/b", devices: [{ name: "../x" }] },
    "a node that climbs": device({ deviceNodes: [{ path: "/dev/../etc/x" }] }),
    "a relative mount": device({ mounts: [{ hostPath: "/x", containerPath: "x" }] }),
    "a relative hook": device({ hooks: [{ hookName: "poststop", path: "hook" }] }),
    "an unknown hook": device({ hooks: [{ hookName: "sometime", path: "/hook" }] }),
    "a type of node": device({ deviceNodes: [{ path: "/dev/x", type: "blk" }] }),
    permissions: device({ deviceNodes: [{ path: "/dev/x", permissions: "rx" }] }),
    "a negative number": device({ deviceNodes: [{ path: "/dev/x", major: -1 }] }),
    "a variable without a name": device({ env: ["=x"] }),
    "a group that is text": device({ additionalGIDs: ["44"] }),
  };
  for (const [name, document] of Object.entries(bad))
    t.throws(() => cdiDocument(document), { code: 13 }, name);
});
