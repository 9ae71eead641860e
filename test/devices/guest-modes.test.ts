import { test } from "tap";
import { withGuestModes } from "../../src/devices/guest-modes.ts";

test("a device without a mode has that of the guest's own node, or none (agent-api 3.3.3)", async (t) => {
  const devices = [
    { path: "/dev/no-such-node", type: "c", fileMode: 0 },
    { path: "/dev/null", type: "c", fileMode: 0 },
    { path: "/dev/null", type: "c", fileMode: 0o600 },
    { path: "/etc/passwd", type: "c", fileMode: 0 },
  ];
  const { linux } = await withGuestModes({ ociVersion: "1.0.2", linux: { devices } });
  t.same(
    linux?.devices?.map(({ fileMode }) => fileMode),
    [0, 0o666, 0o600, 0],
  );
});

test("a document without such devices is left as it is", async (t) => {
  const spec = {
    ociVersion: "1.0.2",
    linux: { devices: [{ path: "/dev/null", type: "c", fileMode: 0o600 }] },
  };
  t.equal(await withGuestModes(spec), spec);
});
