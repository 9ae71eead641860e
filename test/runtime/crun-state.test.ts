import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { forgetState, releaseInit } from "../../src/runtime/crun-state.ts";

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), "crun-state-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("an init that waits gets one byte, and only once", async (t) => {
  const state = folder(t);
  const fifo = join(state, "exec.fifo");
  execFileSync("mkfifo", [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(reader));
  t.equal(releaseInit(state), true);
  const bytes = new Uint8Array(8);
  t.equal(readSync(reader, bytes), 1);
  t.notOk(existsSync(fifo), "by this crun knows that it was started");
  t.equal(releaseInit(state), false);
});

test("where no init waits, all is left for crun to judge", async (t) => {
  const state = folder(t);
  t.equal(releaseInit(join(state, "none")), false);
  execFileSync("mkfifo", [join(state, "exec.fifo")]);
  t.equal(releaseInit(state), false, "nobody reads");
  t.ok(existsSync(join(state, "exec.fifo")));
  rmSync(join(state, "exec.fifo"));
  writeFileSync(join(state, "exec.fifo"), "");
  t.equal(releaseInit(state), false, "no FIFO");
  t.equal(readFileSync(join(state, "exec.fifo"), "utf8"), "");
});

test("the folder of a container goes as a whole, and nothing that a link in it leads to", async (t) => {
  const path = folder(t);
  const state = join(path, "state");
  mkdirSync(join(state, "deep"), { recursive: true });
  mkdirSync(join(path, "outside"));
  for (const name of ["status", "deep/file"]) writeFileSync(join(state, name), "");
  symlinkSync(join(path, "outside"), join(state, "link"));
  t.equal(forgetState(state), true);
  t.notOk(existsSync(state));
  t.ok(existsSync(join(path, "outside")));
  t.equal(forgetState(state), false);
});
