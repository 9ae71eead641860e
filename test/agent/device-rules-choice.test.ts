import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { mayRestrictDevices } from "../../src/agent/device-rules-choice.ts";

test("devices are restricted where crun has the rights and the control groups for it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "rights-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const status = join(folder, "status");
  const cases: [rights: string, may: boolean][] = [
    ["000001ffffffffff", true],
    ["0000000001200000", true],
    // Without CAP_SYS_RESOURCE, as in many a sandbox; without CAP_SYS_ADMIN.
    ["000001fffeffffff", false],
    ["0000000001000000", false],
    ["0000000000000000", false],
  ];
  for (const [rights, may] of cases) {
    writeFileSync(status, `Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t${rights}\n`);
    t.equal(mayRestrictDevices("cgroupfs", status), may, rights);
    t.notOk(mayRestrictDevices("disabled", status));
  }
  t.notOk(mayRestrictDevices("cgroupfs", join(folder, "missing")));
});
