import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildTarget } from "../target.ts";
import { guestKernel, guestModules } from "./guest-kernel.ts";
import { readTrees, type TreeEntry, withFolders } from "./guest-tree.ts";
import type { SystemRoot } from "./system-root.ts";

/** What is the first process of a guest. */
export type Init = "agent" | "systemd";

const projectDir = join(import.meta.dirname, "../..");
const listsDir = join(projectDir, "rootfs");

/** The lists of rootfs/ for each kind of guest; a later one wins. The licences of what they name come on top. */
const lists: Readonly<Record<Init, readonly string[]>> = {
  agent: ["base.tree", "agent.tree", "init-agent.tree"],
  systemd: ["base.tree", "agent.tree", "init-systemd.tree", "systemd-agent.tree"],
};

const readList = (name: string): string => readFileSync(join(listsDir, name), "utf8");

/** All entries of a guest's root, folders and kernel modules included. Throws an Error that names what is missing. */
export function guestContents(init: Init, system: SystemRoot): TreeEntry[] {
  return withFolders([...licensedContents(init, system), ...readTrees(["licences.tree"], sourcesOf(system))]);
}

/** The same without licences and folders: what has to have a licence. */
export function licensedContents(init: Init, system: SystemRoot): TreeEntry[] {
  const modules = guestModules(
    guestKernel(system.path),
    readList("modules"),
    "/usr/lib/kata-agent-node/modules.list",
  );
  return [...readTrees(lists[init], sourcesOf(system)), ...modules];
}

/** All entries of the small initrd for kernels that have the driver of a disk's root as a module. */
export function bootContents(system: SystemRoot): TreeEntry[] {
  const modules = guestModules(guestKernel(system.path), readList("boot-modules"), "/modules.list");
  return withFolders([...readTrees(["boot.tree"], sourcesOf(system)), ...modules]);
}

const sourcesOf = (system: SystemRoot) => ({
  architecture: system.architecture,
  build: buildTarget(projectDir, system.architecture).out,
  system: system.path,
});
