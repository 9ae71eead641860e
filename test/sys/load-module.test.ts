import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { loadModule } from "../../src/sys/load-module.ts";

test("a module that is none, or not there, is refused", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "module-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  await t.rejects(loadModule(join(folder, "missing.ko")), { code: "ENOENT" });
  const file = join(folder, "empty.ko");
  writeFileSync(file, "no module");
  await t.rejects(loadModule(file), { code: /ENOEXEC|EPERM|ENOSYS/, syscall: "finit_module" });
});
