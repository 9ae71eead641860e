import { test } from "tap";
import { silentLog } from "../../src/base/log.ts";
import { DeviceRules } from "../../src/runtime/device-rules.ts";
import type { OciSpec } from "../../src/runtime/oci.ts";

const restricted: OciSpec = {
  ociVersion: "1.0.2",
  linux: { resources: { devices: [{ allow: false }], pids: { limit: 3n } } },
};

test("rules are in crun's document until the kernel has refused them, and nothing else of it changes", async (t) => {
  const warned: object[] = [];
  const rules = new DeviceRules(true, { ...silentLog, warn: (fields: object) => warned.push(fields) });
  t.ok(rules.restrict(restricted));
  t.equal(rules.document(restricted), restricted);
  t.notOk(rules.refused(new Error("crun create: mount `proc` to `proc`: Operation not permitted")));
  t.ok(rules.restrict(restricted), "other complaints mean nothing");
  t.ok(rules.refused(new Error("crun create: setrlimit (RLIM_MEMLOCK): Operation not permitted")));
  t.ok(
    rules.refused(new Error("crun create: bpf create ``: Function not implemented")),
    "by a second one at once",
  );
  t.notOk(rules.restrict(restricted));
  t.strictSame(rules.document(restricted).linux?.resources, { pids: { limit: 3n } });
  t.equal(warned.length, 1, "it is said once");
});

test("where nobody may restrict devices crun gets no rules", async (t) => {
  t.notOk(DeviceRules.none.restrict(restricted));
  t.strictSame(DeviceRules.none.document(restricted).linux?.resources, { pids: { limit: 3n } });
});
