import { test } from "tap";
import { containerId } from "../../src/base/ids.ts";
import { launchInit } from "../../src/container/launch-init.ts";
import type { Bundle } from "../../src/runtime/bundle.ts";
import type { Crun } from "../../src/runtime/crun.ts";
import { DeviceRules } from "../../src/runtime/device-rules.ts";
import type { OciSpec } from "../../src/runtime/oci.ts";

const document: OciSpec = { ociVersion: "1.0.2", linux: { resources: { devices: [{ allow: false }] } } };

/** A crun that refuses documents with device rules, with `complaint`. */
function crunWithout(complaint: string) {
  const written: boolean[] = [];
  const bundle = {
    write: (_name: string, { linux }: OciSpec) => written.push(linux?.resources?.devices !== undefined),
  } as unknown as Bundle;
  const create = async () => {
    if (written.at(-1)) throw new Error(complaint);
    return "launched";
  };
  const crun = { deviceRules: new DeviceRules(true, undefined), create } as unknown as Crun;
  return { written, launch: () => launchInit(crun, containerId("one"), bundle, document, document) };
}

// agent-api 5.6: enforcing is optional, running the container is not
test("a container whose rules the kernel refuses runs without, and the next one at once", async (t) => {
  const { written, launch } = crunWithout("crun create: bpf create ``: Function not implemented");
  t.equal(await launch(), "launched");
  t.equal(await launch(), "launched");
  t.strictSame(written, [true, false, false]);
});

test("another complaint fails the create", async (t) => {
  const { written, launch } = crunWithout("crun create: no such file");
  await t.rejects(launch(), /no such file/);
  t.strictSame(written, [true]);
});
