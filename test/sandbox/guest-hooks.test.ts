import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { type LogFields, silentLog } from "../../src/base/log.ts";
import { findGuestHooks, noGuestHooks } from "../../src/sandbox/guest-hooks.ts";

function recordingLog() {
  const warnings: LogFields[] = [];
  return { warnings, log: { ...silentLog, warn: (fields: LogFields) => void warnings.push(fields) } };
}

test("executable files are hooks, by stage and in the order of their names (agent-api 3.1 step 6)", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "hooks-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, "prestart/folder"), { recursive: true });
  for (const [name, mode] of [
    ["20-second", 0o700],
    ["10-first", 0o001],
    ["plain", 0o644],
  ] as const) {
    writeFileSync(join(dir, "prestart", name), "");
    chmodSync(join(dir, "prestart", name), mode);
  }
  symlinkSync("20-second", join(dir, "prestart/link"));
  mkdirSync(join(dir, "unknown"));
  writeFileSync(join(dir, "poststop"), "no folder");
  const { warnings, log } = recordingLog();
  t.same(await findGuestHooks(dir, log), {
    prestart: ["10-first", "20-second"].map((name) => ({
      path: join(dir, "prestart", name),
      args: [name, "prestart"],
    })),
    poststart: [],
    poststop: [],
  });
  t.match(
    warnings,
    [{ stage: "poststop", error: /ENOTDIR/ }],
    "a missing folder is no failure, an odd one is told",
  );
});

test("no path means no hooks, and a bad one is told", async (t) => {
  const { warnings, log } = recordingLog();
  t.same(await findGuestHooks("", log), noGuestHooks);
  t.same(await findGuestHooks("/not/there", log), noGuestHooks);
  t.same(warnings, []);
  for (const path of ["relative", "/a/../b"]) t.same(await findGuestHooks(path, log), noGuestHooks);
  t.equal(warnings.length, 2);
});

test("more hooks than an image can mean are left out", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "hooks-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, "poststart"));
  for (let n = 0; n < 70; n++) writeFileSync(join(dir, "poststart", `h${n}`), "", { mode: 0o755 });
  const { warnings, log } = recordingLog();
  t.equal((await findGuestHooks(dir, log)).poststart.length, 64);
  t.match(warnings, [{ stage: "poststart", count: 70 }]);
});
