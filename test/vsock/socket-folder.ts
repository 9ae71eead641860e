import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";

/** A fresh folder for sockets, removed at the end of the test. */
export function socketFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "vsock-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
