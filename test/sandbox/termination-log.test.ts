import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { readTerminationLog } from "../../src/sandbox/termination-log.ts";

async function folder(t: Test) {
  const dir = await mkdtemp(join(tmpdir(), "termination-"));
  t.teardown(() => rm(dir, { recursive: true }));
  return (name: string) => join(dir, name);
}

test("at most 4 KiB are read", async (t) => {
  const at = await folder(t);
  await writeFile(at("log"), "x".repeat(10_000));
  t.equal((await readTerminationLog(at("log"))).length, 4096);
});

test("bytes that are no UTF-8 are replaced", async (t) => {
  const at = await folder(t);
  await writeFile(at("log"), Buffer.from([0x61, 0xff, 0x62]));
  t.equal(await readTerminationLog(at("log")), "a\ufffdb");
});

test("no file is an empty message, a directory too", async (t) => {
  const at = await folder(t);
  t.equal(await readTerminationLog(at("none")), "");
  t.equal(await readTerminationLog(at(".")), "");
});

test("a link that the container has put there is not followed", async (t) => {
  const at = await folder(t);
  await symlink("/etc/passwd", at("log"));
  await t.rejects(readTerminationLog(at("log")), { code: 13, message: /ELOOP/ });
});
