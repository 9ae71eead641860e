import { relative } from "node:path";
import type { TreeEntry } from "./guest-tree.ts";
import { type DebianPackage, packageFinder, type SystemRoot } from "./system-root.ts";

/** Where a file of a guest comes from. */
export type Origin =
  | { readonly kind: "debian"; readonly package: DebianPackage }
  | { readonly kind: "node" | "agent" | "policy engine" | "crun" | "kernel modules" | "names and folders" };

const ours = "/usr/lib/kata-agent-node/";

/** Tells of the entries of a guest where each comes from. */
export function originFinder(system: SystemRoot): (entry: TreeEntry) => Origin {
  const packageOf = packageFinder(system);
  return (entry) => {
    if (entry.path === `${ours}node`) return { kind: "node" };
    if (entry.path === `${ours}policy.node`) return { kind: "policy engine" };
    if (entry.path.startsWith("/usr/lib/modules/")) return { kind: "kernel modules" };
    if (entry.kind !== "file" || "data" in entry) return { kind: "names and folders" };
    const place = relative(system.path, entry.source);
    const owner = place.startsWith("..") ? undefined : packageOf(`/${place}`);
    if (owner !== undefined) return { kind: "debian", package: owner };
    return { kind: entry.path === "/usr/bin/crun" ? "crun" : "agent" };
  };
}
