import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Groups of processes that test agents have left: unlike all else they outlive the namespaces of an agent that was
 * killed. Their names begin with the test's process id, as container ids of tests do: `t<pid>-…`.
 */

/**
 * Removes the groups whose names begin with `prefix`, and those of tests that were killed.
 * @returns false when one of the former is still in use.
 */
export function removeLeftGroups(prefix: string): boolean {
  const root = groupRoot();
  if (root === undefined) return true;
  const names = readdirSync(root);
  for (const name of names.filter(isOrphan)) remove(join(root, name));
  const own = names.filter((name) => name.startsWith(prefix));
  return own.map((name) => remove(join(root, name))).every((gone) => gone);
}

/** The root of the agents' control groups: our own group in the version 2 tree. */
function groupRoot(): string | undefined {
  const mount = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((line) => line.includes(" - cgroup2 "))
    ?.split(" ")[4];
  const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
  return mount === undefined || own === undefined ? undefined : join(mount, own);
}

function isOrphan(name: string): boolean {
  const pid = Number(/^t(\d+)-/.exec(name)?.[1]);
  if (Number.isNaN(pid)) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Only an empty group can be removed, so this never takes away what somebody uses. */
function remove(path: string): boolean {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory() && !remove(join(path, entry.name))) return false;
    }
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
