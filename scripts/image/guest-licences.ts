import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Component } from "../package/component.ts";
import { thirdParties, thirdPartyText } from "../package/third-party.ts";
import { buildTarget } from "../target.ts";
import type { TreeEntry } from "./guest-tree.ts";
import { originFinder } from "./origin.ts";
import { realPathBelow } from "./real-path.ts";
import type { DebianPackage, SystemRoot } from "./system-root.ts";

const projectDir = join(import.meta.dirname, "../..");

/**
 * Puts the licences of what the entries are, ours and those of others, where licences.tree expects them: `guest/` of the
 * build folder. Throws an Error when a package has none.
 */
export async function placeLicences(system: SystemRoot, entries: readonly TreeEntry[]): Promise<void> {
  const { out: build } = buildTarget(projectDir, system.architecture);
  const components = [
    ...(await thirdParties(projectDir, build, ["src/agent/main.ts"])),
    ...debianPackages(system, entries).map((each) => describe(system.path, each)),
  ];
  const place = join(build, "guest");
  mkdirSync(place, { recursive: true });
  copyFileSync(join(projectDir, "LICENSE"), join(place, "LICENSE"));
  writeFileSync(join(place, "THIRD-PARTY.txt.gz"), gzipSync(thirdPartyText(components), { level: 9 }));
}

/** What the compiled crun is made of and linked with. */
const inCrun = new Set(["crun", "libc6", "libcap2", "libseccomp2", "libyajl2"]);

function debianPackages(system: SystemRoot, entries: readonly TreeEntry[]): DebianPackage[] {
  const origins = entries.map(originFinder(system));
  const owners = new Set(origins.flatMap((origin) => (origin.kind === "debian" ? [origin.package] : [])));
  const has = (kind: string): boolean => origins.some((origin) => origin.kind === kind);
  return system.packages.filter(
    (each) =>
      owners.has(each) ||
      (has("crun") && inCrun.has(each.name)) ||
      (has("kernel modules") && each.name.startsWith("linux-image-")),
  );
}

/** A package with what its file of copyrights says and the texts that this only refers to. */
function describe(system: string, { name, version, source, sourceVersion }: DebianPackage): Component {
  const copyright = readFileSync(realPathBelow(system, `/usr/share/doc/${name}/copyright`), "utf8");
  const common = copyright.matchAll(/\/usr\/share\/common-licenses\/([A-Z]\w*(?:[-.]\w+)*)/g);
  const names = new Set([...common].map(([, licence = ""]) => licence));
  const texts = [...names].sort().map((each) => commonLicence(system, each));
  return {
    kind: "debian",
    name,
    version,
    licence: `${source} ${sourceVersion}`,
    texts: [copyright, ...texts].map((text) => text.trim()),
  };
}

function commonLicence(system: string, name: string): string {
  return readFileSync(realPathBelow(system, `/usr/share/common-licenses/${name}`), "utf8");
}
