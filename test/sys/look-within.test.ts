import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { lookWithin } from "../../src/sys/look-within.ts";

test("paths are told apart by what is there, and whether a link is on the way", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "look-within-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(root, "a/file"), "");
  for (const [name, target] of [
    ["link", "a"],
    ["a/dangling", "/no/such"],
    ["loop", "loop"],
  ] as const)
    symlinkSync(target, join(root, name));
  const cases = {
    "/": "directory",
    "": "directory",
    "//a/./b//": "directory",
    "/a/file": "other",
    "/a/missing/below": "missing",
    "/link": "unclear",
    "/link/b": "unclear",
    "/a/dangling": "unclear",
    "/loop/x": "unclear",
    "/a/file/below": "unclear",
    "/a/../a": "unclear",
    "/missing/../a": "unclear",
    [`/${"x".repeat(300)}`]: "unclear",
  };
  t.same(await lookWithin(root, Object.keys(cases)), Object.values(cases));
  t.same(await lookWithin(root, []), []);
  await t.rejects(lookWithin(join(root, "none"), ["/"]), { code: "ENOENT" });
});
