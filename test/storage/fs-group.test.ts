import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { applyFsGroup, type FsGroupWish } from "../../src/storage/fs-group.ts";

const needsRoot = { skip: process.getuid?.() === 0 ? false : "needs root to change groups" };
const gid = 4321;
const wish = (more: Partial<FsGroupWish> = {}): FsGroupWish => ({
  gid,
  policy: "always",
  readOnly: false,
  ...more,
});

/** A volume with a file of every kind in it, and beside it what the volume's links lead to. */
function volume(t: Test) {
  const root = mkdtempSync(join(tmpdir(), "fs-group-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  const top = join(root, "volume");
  mkdirSync(join(top, "a/b"), { recursive: true });
  mkdirSync(join(root, "outside"));
  const file = (path: string, mode: number) => {
    writeFileSync(join(root, path), path);
    chmodSync(join(root, path), mode);
  };
  file("volume/plain", 0o600);
  file("volume/a/b/tool", 0o4755);
  file("outside/secret", 0o600);
  symlinkSync("../outside", join(top, "folder-link"));
  symlinkSync("../outside/secret", join(top, "file-link"));
  symlinkSync("/no/such", join(top, "dead-link"));
  execFileSync("mkfifo", ["-m", "600", join(top, "pipe")]);
  const look = (path: string) => {
    const { gid, mode } = lstatSync(join(root, path));
    return `${gid} ${(mode & 0o7777).toString(8)}`;
  };
  return { top, look };
}

test("every file gets the group and its bits, folders pass it on (4.1, fsGroup)", needsRoot, async (t) => {
  const { top, look } = volume(t);
  await applyFsGroup(top, wish());
  t.equal(look("volume"), "4321 2775");
  t.equal(look("volume/a/b"), "4321 2775");
  t.equal(look("volume/plain"), "4321 660");
  t.equal(look("volume/pipe"), "4321 660");
  t.equal(look("volume/a/b/tool"), "4321 4775", "a set-id bit that chown takes away is set again");
});

test("no link is changed or followed (4.1)", needsRoot, async (t) => {
  const { top, look } = volume(t);
  await applyFsGroup(top, wish());
  for (const path of ["outside", "outside/secret", "volume/file-link", "volume/dead-link"]) {
    t.match(look(path), /^0 /, path);
  }
  t.equal(look("outside/secret"), "0 600");
  symlinkSync("volume", join(top, "../link"));
  await t.rejects(
    applyFsGroup(join(top, "../link"), wish()),
    { code: 13 },
    "also the volume itself is no link",
  );
});

test("a volume for reading gets no bits for writing", needsRoot, async (t) => {
  const { top, look } = volume(t);
  chmodSync(top, 0o700);
  await applyFsGroup(top, wish({ readOnly: true }));
  t.equal(look("volume"), "4321 2750");
  t.equal(look("volume/plain"), "4321 640");
});

test("with the policy for a mismatch a root that is right is the end of it (4.1)", needsRoot, async (t) => {
  const { top, look } = volume(t);
  const onMismatch = wish({ policy: "onRootMismatch" });
  chownSync(top, 0, gid);
  chmodSync(top, 0o2770);
  await applyFsGroup(top, onMismatch);
  t.equal(look("volume/plain"), "0 600");
  for (const mode of [0o770, 0o2760, 0o2750]) {
    chmodSync(join(top, "plain"), 0o600);
    chmodSync(top, mode);
    await applyFsGroup(top, onMismatch);
    t.equal(look("volume/plain"), "4321 660", `after mode ${mode.toString(8)}`);
  }
  chownSync(top, 0, 0);
  await applyFsGroup(top, onMismatch);
  t.equal(look("volume"), "4321 2770");
});

test("a walk ends when its caller gives up, and the root is not marked as done", needsRoot, async (t) => {
  const { top, look } = volume(t);
  const caller = new AbortController();
  caller.abort(new Error("went away"));
  await t.rejects(applyFsGroup(top, wish(), caller.signal), { message: "went away" });
  t.match(look("volume"), /^0 /);
});

test("what is no group is refused, a single file is taken", needsRoot, async (t) => {
  const { top, look } = volume(t);
  await t.rejects(applyFsGroup(top, wish({ gid: 0xffff_ffff })), { code: 13 });
  await applyFsGroup(join(top, "plain"), wish());
  t.equal(look("volume/plain"), "4321 660");
  t.match(look("volume"), /^0 /);
});
