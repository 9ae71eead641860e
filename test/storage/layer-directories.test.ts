import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { makeLayerDirectories } from "../../src/storage/layer-directories.ts";

// agent-api 4.2.1: `X-kata.mkdir.path` templates, scoped
function layers(t: Test) {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  const [upper, lower, outside] = [join(root, "upper"), join(root, "lower"), join(root, "outside")];
  for (const path of [upper, lower, outside]) mkdirSync(path);
  return { upper, lower, outside };
}

test("directories are made in the upper, or in the first lower, and keep what they are when they are there", async (t) => {
  const { upper, lower } = layers(t);
  mkdirSync(join(upper, "kept"), { mode: 0o700 });
  const templates = [
    "{{ mount 0 }}/a/b",
    "{{ mount 1 }}/c",
    "/d",
    "e/f",
    "{{ mount 0 }}/kept",
    "{{ mount 0 }}",
  ];
  await makeLayerDirectories(templates, upper, lower);
  for (const path of [join(upper, "a/b"), join(lower, "c"), join(upper, "d"), join(upper, "e/f")]) {
    t.ok(statSync(path).isDirectory(), path);
  }
  t.equal(statSync(join(upper, "kept")).mode & 0o777, 0o700);
});

test("a link in a layer leads nowhere else, and a path that climbs is refused", async (t) => {
  const { upper, lower, outside } = layers(t);
  symlinkSync(outside, join(upper, "out"));
  symlinkSync("../../outside", join(upper, "up"));
  await t.rejects(makeLayerDirectories(["{{ mount 0 }}/out/x"], upper, lower), { code: 13 });
  await t.rejects(makeLayerDirectories(["{{ mount 0 }}/up/x"], upper, lower), { code: 13 });
  for (const text of ["{{ mount 0 }}/../x", "../x", "{{ mount 1 }}/a/../../x", "a\0b"]) {
    await t.rejects(makeLayerDirectories([text], upper, lower), { code: 13 }, JSON.stringify(text));
  }
  t.notOk(existsSync(join(outside, "x")));
});
