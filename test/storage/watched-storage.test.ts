import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Test, test } from "tap";
import type { Log } from "../../src/base/log.ts";
import { silentLog } from "../../src/base/log.ts";
import { holdPath } from "../../src/storage/watch-handle.ts";
import { WatchedStorage } from "../../src/storage/watched-storage.ts";

/** What a host may do to the source of a watchable mount, and what becomes of the copy (agent-api 7). */

async function watched(t: Test, log: Log = silentLog) {
  const root = t.testdir({ source: {}, backing: {}, outside: { secret: "secret" } });
  const [source, copy] = [join(root, "source"), join(root, "backing/copy")];
  const backing = await holdPath(join(root, "backing"));
  t.teardown(() => backing[Symbol.dispose]());
  const storage = new WatchedStorage({ source, backing, name: "copy", log });
  return { root, source, copy, storage };
}

/** A version as kubelet writes it: a directory of its own, and a switch of `..data` to it. */
function publish(source: string, version: string, keys: Record<string, string>): void {
  const data = join(source, "..data");
  const old = existsSync(data) ? readlinkSync(data) : undefined;
  mkdirSync(join(source, version));
  for (const [key, text] of Object.entries(keys)) {
    writeFileSync(join(source, version, key), text);
    if (old === undefined) symlinkSync(`..data/${key}`, join(source, key));
  }
  symlinkSync(version, join(source, "..data_tmp"));
  renameSync(join(source, "..data_tmp"), data);
  if (old !== undefined) rmSync(join(source, old), { recursive: true });
}

test("a version of a config map comes whole, with modes; the old one goes", async (t) => {
  const { source, copy, storage } = await watched(t);
  publish(source, "..1", { a: "one", b: "one" });
  chmodSync(join(source, "..1/a"), 0o604);
  await storage.update();
  t.equal(readFileSync(join(copy, "a"), "utf8"), "one");
  t.equal(statSync(join(copy, "a")).mode & 0o7777, 0o604);
  t.equal(readlinkSync(join(copy, "..data")), "..1");
  publish(source, "..2", { a: "two", b: "two" });
  await storage.update();
  t.equal(readFileSync(join(copy, "b"), "utf8"), "two");
  t.same(readdirSync(copy).sort(), ["..2", "..data", "a", "b"]);
  t.same(readdirSync(join(copy, "..")), ["copy"], "nothing is left aside");
});

test("a reader sees a whole version at any time", async (t) => {
  const { source, copy, storage } = await watched(t);
  const text = (n: number) => `${n}`.repeat(100_000);
  publish(source, "..0", { a: text(0), b: text(0) });
  await storage.update();
  let done = false;
  const torn: string[] = [];
  const reader = (async () => {
    while (!done) {
      const version = readlinkSync(join(copy, "..data"));
      const read = (key: string) => readFile(join(copy, version, key), "utf8").catch(() => undefined);
      const [a, b] = await Promise.all([read("a"), read("b")]);
      for (const each of [a, b]) {
        if (each !== undefined && each !== text(Number(version.slice(2)))) torn.push(each.slice(0, 20));
      }
      if (!existsSync(join(copy, "a"))) torn.push("gone");
    }
  })();
  for (let n = 1; n < 9; n++) {
    publish(source, `..${n}`, { a: text(n), b: text(n) });
    await storage.update();
  }
  done = true;
  await reader;
  t.same(torn, []);
});

test("what is new, changed, gone or of another kind is seen by its time", async (t) => {
  const { source, copy, storage } = await watched(t);
  mkdirSync(join(source, "d/e"), { recursive: true });
  writeFileSync(join(source, "d/e/f"), "1");
  writeFileSync(join(source, "k"), "1");
  await storage.update();
  const { ino } = statSync(join(copy, "d/e/f"));
  await storage.update();
  t.equal(statSync(join(copy, "d/e/f")).ino, ino, "what has not changed is not written");
  writeFileSync(join(source, "d/e/f"), "2");
  utimesSync(join(source, "d/e/f"), 1, 1);
  rmSync(join(source, "k"));
  mkdirSync(join(source, "k"));
  writeFileSync(join(source, "k/n"), "new");
  await storage.update();
  t.equal(readFileSync(join(copy, "d/e/f"), "utf8"), "2");
  t.equal(readFileSync(join(copy, "k/n"), "utf8"), "new");
  rmSync(join(source, "d"), { recursive: true });
  rmSync(join(source, "k"), { recursive: true });
  writeFileSync(join(source, "k"), "file again");
  await storage.update();
  t.same(readdirSync(copy), ["k"]);
  t.equal(readFileSync(join(copy, "k"), "utf8"), "file again");
  await storage.remove();
  t.notOk(existsSync(copy));
});

// agent-api 7
test("links are copied as links, in source and copy none is followed, and special files are passed over", async (t) => {
  const { root, source, copy, storage } = await watched(t);
  symlinkSync(join(root, "outside/secret"), join(source, "link"));
  symlinkSync(join(root, "outside"), join(source, "folder"));
  execFileSync("mkfifo", [join(source, "pipe")]);
  mkdirSync(join(source, "d"));
  writeFileSync(join(source, "d/f"), "1");
  await storage.update();
  t.ok(lstatSync(join(copy, "link")).isSymbolicLink());
  t.ok(lstatSync(join(copy, "folder")).isSymbolicLink());
  t.notOk(existsSync(join(copy, "pipe")));
  // A container that may write puts a link in the way of the next copy.
  rmSync(join(copy, "d"), { recursive: true });
  symlinkSync(join(root, "outside"), join(copy, "d"));
  writeFileSync(join(source, "d/f"), "22");
  await t.rejects(storage.update());
  t.same(readdirSync(join(root, "outside")), ["secret"]);
  await storage.remove();
  t.notOk(existsSync(copy));
  t.equal(readFileSync(join(root, "outside/secret"), "utf8"), "secret");
});

test("a source that is a link is refused", async (t) => {
  const { root, source, storage } = await watched(t);
  rmSync(source, { recursive: true });
  symlinkSync(join(root, "outside"), source);
  await t.rejects(storage.update(), { message: /link/ });
  t.same(readdirSync(join(root, "backing")), []);
});

test("a single file stays the same file, as the container has it bound", async (t) => {
  const { source, copy, storage } = await watched(t);
  rmSync(source, { recursive: true });
  writeFileSync(source, "a longer text");
  await storage.update();
  const { ino } = statSync(copy);
  writeFileSync(source, "short");
  await storage.update();
  t.equal(readFileSync(copy, "utf8"), "short");
  t.equal(statSync(copy).ino, ino);
});

test("a fault is told once until it changes, and mended by the next look", async (t) => {
  const told: string[] = [];
  const warn = (fields: Readonly<Record<string, unknown>>) => told.push(String(fields["error"]));
  const { source, copy, storage } = await watched(t, { ...silentLog, warn });
  rmSync(source, { recursive: true });
  await storage.refresh();
  await storage.refresh();
  t.equal(told.length, 1);
  mkdirSync(source);
  writeFileSync(join(source, "k"), "v");
  await storage.refresh();
  t.equal(readFileSync(join(copy, "k"), "utf8"), "v");
  storage.end();
  writeFileSync(join(source, "later"), "v");
  await storage.refresh();
  t.notOk(existsSync(join(copy, "later")), "after its end nothing is written");
});
