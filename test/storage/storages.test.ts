import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { AgentError } from "../../src/base/agent-error.ts";
import { Code } from "../../src/base/code.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Storage, StorageDriver } from "../../src/storage/storage.ts";
import { Storages } from "../../src/storage/storages.ts";
import { UmountFlag } from "../../src/sys/mount.ts";

/** Storages whose driver only makes the folder, and a list of what was done in order. */
function folders(t: Test): {
  storages: Storages;
  done: string[];
  storage: (name: string, more?: Partial<Storage>) => Storage;
  hold: PromiseWithResolvers<void>;
} {
  const root = mkdtempSync(join(tmpdir(), "storages-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  const done: string[] = [];
  const hold = Promise.withResolvers<void>();
  const note = (what: string, path: string) => done.push(`${what} ${path.slice(root.length + 1)}`);
  const drivers = new Map<string, StorageDriver>([
    [
      "folder",
      async ({ mountPoint }: Storage) => {
        note("mount", mountPoint);
        mkdirSync(mountPoint, { recursive: true });
        return mountPoint;
      },
    ],
    [
      "kept",
      async ({ mountPoint }: Storage) => {
        note("mount", mountPoint);
        return undefined;
      },
    ],
    ["dead", () => new Promise<undefined>(() => undefined)],
    ["late", ({ mountPoint }: Storage) => hold.promise.then(() => mountPoint)],
    ["broken", () => Promise.reject(new AgentError(Code.internal, "broken"))],
  ]);
  const storages = new Storages(drivers, silentLog, async (path, flags) => {
    note(flags === UmountFlag.detach ? "detach" : "unmount", path);
    if (path.endsWith("/busy") && flags === 0) throw Object.assign(new Error("EBUSY"), { code: "EBUSY" });
    if (path.endsWith("/gone")) throw Object.assign(new Error("EINVAL"), { code: "EINVAL" });
    if (path.endsWith("/slow")) await hold.promise;
  });
  const storage = (name: string, more: Partial<Storage> = {}): Storage => ({
    driver: "folder",
    driverOptions: [],
    source: "",
    fstype: "",
    options: [],
    mountPoint: join(root, name),
    shared: false,
    ...more,
  });
  return { storages, done, storage, hold };
}

test("the first user mounts, the last one unmounts", async (t) => {
  const { storages, done, storage } = folders(t);
  const lists = await Promise.all([1, 2, 3].map(() => storages.add([storage("a")], undefined)));
  t.same(done, ["mount a"]);
  for (const list of lists) await storages.release(list);
  t.same(done, ["mount a", "unmount a"]);
});

test("a list that fails is undone in reverse order", async (t) => {
  const { storages, done, storage } = folders(t);
  const list = [storage("a"), storage("b"), storage("c", { driver: "broken" }), storage("d")];
  await t.rejects(storages.add(list, undefined), { message: "broken" });
  t.same(done, ["mount a", "mount b", "unmount b", "unmount a"]);
  const unknown = storages.add([storage("x", { driver: "9p" })], undefined);
  await t.rejects(unknown, { code: Code.internal, message: /Failed to find the storage handler 9p/ });
});

test("a list is released last to first, since one may lie within another", async (t) => {
  const { storages, done, storage } = folders(t);
  await storages.release(await storages.add([storage("a"), storage("a/b")], undefined));
  t.same(done.slice(2), ["unmount a/b", "unmount a"]);
});

test("a storage in use is detached, and mounted anew for the next user", async (t) => {
  const { storages, done, storage } = folders(t);
  await storages.release(await storages.add([storage("busy")], undefined));
  t.same(done, ["mount busy", "unmount busy", "detach busy"]);
  await storages.release(await storages.add([storage("busy")], undefined));
  t.equal(done.filter((what) => what === "mount busy").length, 2);
});

test("a storage that cannot be unmounted is not taken for one in place", async (t) => {
  const { storages, done, storage } = folders(t);
  const gone = storage("gone");
  await storages.release(await storages.add([gone], undefined));
  await storages.add([gone], undefined);
  t.same(done, ["mount gone", "unmount gone", "mount gone"]);
});

test("a user that comes while the last one goes waits, and mounts again", async (t) => {
  const { storages, done, storage, hold } = folders(t);
  const list = await storages.add([storage("slow")], undefined);
  const released = storages.release(list);
  while (!done.includes("unmount slow")) await new Promise(setImmediate);
  const added = Promise.all([1, 2].map(() => storages.add([storage("slow")], undefined)));
  await new Promise(setImmediate);
  t.same(done, ["mount slow", "unmount slow"]);
  hold.resolve();
  await released;
  await added;
  t.same(done, ["mount slow", "unmount slow", "mount slow"]);
});

test("what is shared or has no clean-up stays until the sandbox ends", async (t) => {
  const { storages, done, storage } = folders(t);
  const list = [storage("shared", { shared: true }), storage("kept", { driver: "kept" })];
  await storages.release(await storages.add(list, undefined));
  await storages.release(await storages.add(list, undefined));
  t.same(done, ["mount shared", "mount kept"]);
  await storages.releaseAll();
  t.same(done.slice(2), ["detach kept", "detach shared"], "newest first");
});

test("whoever waited for a mount that failed fails too", async (t) => {
  const { storages, storage } = folders(t);
  const results = await Promise.allSettled(
    [1, 2].map(() => storages.add([storage("same", { driver: "broken" })], undefined)),
  );
  t.same(
    results.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  await storages.add([storage("same")], undefined);
});

test("a storage that hangs holds up neither others, nor its caller, nor the end", async (t) => {
  const { storages, done, storage } = folders(t);
  const caller = new AbortController();
  const hung = storages.add([storage("a"), storage("b", { driver: "dead" })], undefined, caller.signal);
  const joined = storages.add([storage("b", { driver: "dead" })], undefined, caller.signal);
  await storages.add([storage("c")], undefined);
  caller.abort(new Error("went away"));
  for (const result of await Promise.allSettled([hung, joined])) {
    t.match(result, { status: "rejected", reason: { message: "went away" } });
  }
  t.same(done, ["mount a", "mount c", "unmount a"]);
  await storages.releaseAll();
  t.same(done.slice(3), ["detach c"]);
});

test("a storage that comes when nobody waits any more is taken away", async (t) => {
  const { storages, done, storage, hold } = folders(t);
  const late = storage("late", { driver: "late" });
  await t.rejects(storages.add([late], undefined, AbortSignal.abort(new Error("went away"))));
  hold.resolve();
  while (!done.includes("unmount late")) await new Promise(setImmediate);
  t.ok(await storages.add([late], undefined), "and can be had again");
});
