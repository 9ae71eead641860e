import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { Code } from "../../src/base/code.ts";
import { scopedPath } from "../../src/runtime/scoped-path.ts";

test("links are followed within the root, also to what is not there", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "scoped-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "a/b"), { recursive: true });
  const links = { absolute: "/proc", up: "../../../a", "a/relative": "b/../../proc/sys", loop: "loop" };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
  const cases = {
    "/": "/",
    "//a/./b//": "/a/b",
    "/not/there": "/not/there",
    "/absolute/sys": "/proc/sys",
    "/up/b/x": "/a/b/x",
    "/a/relative/kernel": "/proc/sys/kernel",
  };
  for (const [path, leads] of Object.entries(cases)) t.equal(await scopedPath(root, path), leads, path);
  await t.rejects(scopedPath(root, "/loop/x"), { code: Code.internal, message: /ELOOP/ });
});
