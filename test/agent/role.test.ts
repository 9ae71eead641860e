import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { roleOf } from "../../src/agent/role.ts";

test("only the first process of the first pid namespace owns the machine", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "role-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [first, other] = [join(folder, "first"), join(folder, "other")];
  symlinkSync("pid:[4026531836]", first);
  symlinkSync("pid:[4026532999]", other);
  t.equal(roleOf(1, first), "machine-init");
  t.equal(roleOf(1, other), "namespace-init");
  t.equal(
    roleOf(1, join(folder, "missing")),
    "machine-init",
    "without /proc only the kernel can have started us",
  );
  t.equal(roleOf(77, first), "service");
  t.equal(roleOf(77, join(folder, "missing")), "service");
});
