import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { licenceTexts } from "./bundled-packages.ts";
import type { Component } from "./component.ts";

type Metadata = {
  readonly packages: readonly { name: string; version: string; license: string; manifest_path: string }[];
};

/**
 * The crates that are in the policy engine, whose folder this is. Their sources are there once it has been built.
 * Throws when cargo does.
 */
export function crates(folder: string): Component[] {
  const cargo = (...args: string[]): string =>
    execFileSync("cargo", [...args, "--locked", "--offline"], { cwd: folder, encoding: "utf8" });
  // Of the metadata's crates many are for other systems or for building; the tree knows which are linked.
  const lines = cargo("tree", "-e", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}");
  const linked = new Set(
    lines.split("\n").map((line) => line.split(" ").slice(0, 2).join(" v").replace("vv", "v")),
  );
  const { packages }: Metadata = JSON.parse(cargo("metadata", "--format-version", "1"));
  return packages
    .filter(({ name, version }) => linked.has(`${name} v${version}`) && name !== "policy-engine")
    .map(({ name, version, license, manifest_path }) => ({
      kind: "crate",
      name,
      version,
      licence: license,
      texts: licenceTexts(dirname(manifest_path)),
    }));
}
