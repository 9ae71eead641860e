import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { temporaryFolder } from "./running.ts";

/** A disk of few bytes, in a mount namespace of its own: the machine does not see it. */
export type SmallDisk = {
  /** Where it is for programs that are started `by` these words. */
  readonly folder: string;
  readonly by: readonly string[];
  /** A file of it, as this process gets at it. */
  path(name: string): string;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
};

/** Makes the disk; it goes with the test. */
export async function smallDisk(t: Test, bytes: number): Promise<SmallDisk> {
  const folder = temporaryFolder(t);
  const isRoot = process.getuid?.() === 0;
  // Whoever stays in the namespace keeps it, whatever becomes of the forwarder.
  const keep = `mount -t tmpfs -o size=${bytes},mode=777 tmpfs "$0" && echo mounted && exec sleep 1000`;
  const namespaces = ["--mount", ...(isRoot ? [] : ["--map-root-user"])];
  const keeper = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "unshare", ...namespaces, "sh", "-c", keep, folder],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  t.teardown(async () => {
    keeper.kill("SIGKILL");
    if (keeper.exitCode === null && keeper.signalCode === null) await once(keeper, "exit");
  });
  await once(keeper.stdout, "data");
  const path = (name: string) => join(`/proc/${keeper.pid}/root`, folder, name);
  const fill = () => {
    try {
      writeFileSync(path("filler"), Buffer.alloc(bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  };
  const user = isRoot ? [] : ["--user", "--preserve-credentials"];
  const by = ["nsenter", "--target", String(keeper.pid), ...user, "--mount", "--"];
  return { folder, by, path, fill, free: () => rmSync(path("filler"), { force: true }) };
}
