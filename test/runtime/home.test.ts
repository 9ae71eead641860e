import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { withHome } from "../../src/runtime/home.ts";

const process = (uid: number, ...env: string[]) => ({ user: { uid, gid: 0 }, args: ["true"], cwd: "/", env });

test("a user that the image does not know has HOME=/ (agent-api 3.3.10 step 22)", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "home-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  t.same((await withHome(process(0), root)).env, ["HOME=/"], "no file at all");
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nu:x:1000:1::/home/u:\n");
  t.same((await withHome(process(1000), root)).env, []);
  t.same((await withHome(process(100), root)).env, ["HOME=/"]);
  t.same((await withHome(process(100, "HOME=/x"), root)).env, ["HOME=/x"]);
  rmSync(join(root, "etc/passwd"));
  execFileSync("mkfifo", [join(root, "etc/passwd")]);
  t.same((await withHome(process(0), root)).env, ["HOME=/"], "a pipe holds nobody up");
});
