import { test } from "tap";
import { pciEnvironment } from "../../src/devices/pci-environment.ts";

// agent-api 4.4: PCI addresses in the environment are those of the guest
const addresses = new Map([
  ["0000:3b:02.1", "0000:01:00.0"],
  ["0000:01:00.0", "0000:02:00.0"],
  ["0000:af:0a.0", "0000:03:00.0"],
]);

test("addresses of a list and of the text about it become the guest's, each once", async (t) => {
  const env = [
    'PCIDEVICE_INTEL_COM_NICS_INFO={"0000:3b:02.1":{"id":"0000:3b:02.1"},"0000:01:00.0":{}}',
    "PCIDEVICE_INTEL_COM_NICS=0000:3B:02.1,0000:01:00.0",
    "OTHER=0000:3b:02.1",
  ];
  t.strictSame(
    pciEnvironment(
      [env[0] ?? "", "PCIDEVICE_INTEL_COM_NICS=0000:3b:02.1,0000:01:00.0", env[2] ?? ""],
      addresses,
    ),
    [
      'PCIDEVICE_INTEL_COM_NICS_INFO={"0000:01:00.0":{"id":"0000:01:00.0"},"0000:02:00.0":{}}',
      "PCIDEVICE_INTEL_COM_NICS=0000:01:00.0,0000:02:00.0",
      "OTHER=0000:3b:02.1",
    ],
  );
  t.equal(
    pciEnvironment(env, addresses)[1],
    "PCIDEVICE_INTEL_COM_NICS=0000:01:00.0,0000:02:00.0",
    "in any case",
  );
});

test("a list with one unknown address stays as it is, and so does the text about it", async (t) => {
  const env = [
    "PCIDEVICE_X=0000:3b:02.1,0000:99:00.0",
    "PCIDEVICE_X_INFO=0000:3b:02.1",
    "PCIDEVICE_Y=none",
    "PCIDEVICE_Z=",
  ];
  t.strictSame(pciEnvironment(env, addresses), env);
  t.strictSame(pciEnvironment(["PCIDEVICE_X=0000:3b:02.1"], new Map()), ["PCIDEVICE_X=0000:3b:02.1"]);
});

test("only the text of the same name follows a list", async (t) => {
  const env = ["PCIDEVICE_A=0000:af:0a.0", "PCIDEVICE_B_INFO=0000:af:0a.0", "PCIDEVICE_A_INFO=0000:af:0aX0"];
  t.strictSame(pciEnvironment(env, addresses), ["PCIDEVICE_A=0000:03:00.0", env[1], env[2]]);
});
