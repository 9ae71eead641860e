/**
 * What an image is made of, for whoever has to look for vulnerable versions: CycloneDX 1.7. Three documents joined by
 * debsbom: its own of the Debian packages whose files are in the image, with their sources and licences; npm's of the npm
 * packages; and one of what neither of them knows: Node, crun, the crates of the policy engine.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { crates } from "../package/crates.ts";
import { debianStatus } from "./debian-status.ts";
import type { MadeImage } from "./make-image.ts";
import { originFinder } from "./origin.ts";
import { debsbom } from "./sbom-tool.ts";
import { sourceDateS } from "./source-date.ts";
import type { DebianPackage, SystemRoot } from "./system-root.ts";

type Component = {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly "bom-ref": string;
  readonly description?: string;
  readonly licenses?: readonly { readonly expression: string }[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
};

const projectDir = join(import.meta.dirname, "../..");

/**
 * The document as text, the same for the same image. Throws an Error when npm does not know its packages, or debsbom
 * cannot be had.
 */
export function billOfMaterials({ file, entries, system }: MadeImage): string {
  const origins = entries.map(originFinder(system));
  const has = (kind: string): boolean => origins.some((origin) => origin.kind === kind);
  const packages = [
    ...new Set(origins.flatMap((origin) => (origin.kind === "debian" ? [origin.package] : []))),
  ];
  const compiled = system.packages.filter(({ name }) => name === "crun" && has("crun")).map(compiledCrun);
  const others = [node(), ...compiled, ...(has("policy engine") ? policyCrates() : [])];
  const work = mkdtempSync(join(tmpdir(), "bill-"));
  try {
    writeFileSync(join(work, "npm.cdx.json"), npmDocument());
    writeFileSync(join(work, "others.cdx.json"), documentOf(others));
    writeDebianDocument(work, system, packages);
    return joined(work, basename(file), ["debian.cdx.json", "npm.cdx.json", "others.cdx.json"]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const format = ["--sbom-type", "cdx"];

function writeDebianDocument(work: string, system: SystemRoot, packages: readonly DebianPackage[]): void {
  const [status, share] = [join(work, "root/var/lib/dpkg"), join(work, "root/usr/share")];
  for (const folder of [status, share]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(status, "status"), debianStatus(packages, system.architecture));
  // Where the licences of packages stand.
  symlinkSync(join(system.path, "usr/share/doc"), join(share, "doc"));
  const root = ["--root", "root", "--distro-arch", system.architecture, "--with-licenses"];
  debsbom(work, "generate", ...format, ...root, ...identity("debian", ""), "--out", "debian");
}

function joined(work: string, name: string, parts: readonly string[]): string {
  const whole = parts.map((part) => readFileSync(join(work, part), "utf8")).join("");
  debsbom(work, "merge", ...format, "--omit-roots", ...identity(name, whole), "--out", "whole", ...parts);
  return readFileSync(join(work, "whole.cdx.json"), "utf8");
}

/** Options that say what the document is of, and what it would take from the clock and from chance. */
function identity(name: string, content: string): string[] {
  const timestamp = new Date(sourceDateS(projectDir) * 1000).toISOString().replace(/\.000Z$/, "+00:00");
  const digest = createHash("sha256").update(content).digest("hex");
  // A number of version 8: one's own digest.
  const serial = digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-8$3-8$4-$5");
  return ["--distro-name", name, "--timestamp", timestamp, "--cdx-serialnumber", serial];
}

/** npm's packages that are shipped; `--omit dev` would leave out those that a tool has among its optional peers too. */
function npmDocument(): string {
  const said = execFileSync("npm", ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"], {
    cwd: projectDir,
    encoding: "utf8",
    maxBuffer: 16 << 20,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { components }: { components: Component[] } = JSON.parse(said);
  const development = "cdx:npm:package:development";
  return documentOf(
    components.filter(({ properties }) => !properties?.some(({ name }) => name === development)),
  );
}

/** A document of these alone; what lies in two folders is one. */
function documentOf(components: readonly Component[]): string {
  const unique = [...new Map(components.map((each) => [each["bom-ref"], each])).values()];
  // debsbom leaves out what a document is of, but wants it to be there.
  const metadata = { component: { type: "application", name: "part", "bom-ref": "part" } };
  return JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", metadata, components: unique });
}

function component(type: string, name: string, version: string, purl: string): Component {
  return { "bom-ref": purl, type, name, version, purl };
}

function node(): Component {
  const { node: version } = process.versions;
  return component("application", "node", version, `pkg:generic/node@${version}`);
}

function compiledCrun({ sourceVersion }: DebianPackage): Component {
  const purl = `pkg:deb/debian/crun@${encodeURIComponent(sourceVersion)}?arch=source`;
  const description =
    "compiled from this source, static: with libc, libcap, libseccomp and libyajl of the same release";
  return { ...component("application", "crun", sourceVersion, purl), description };
}

function policyCrates(): Component[] {
  return crates(join(projectDir, "src/sys/policy-engine")).map(({ name, version, licence }) => ({
    ...component("library", name, version, `pkg:cargo/${name}@${version}`),
    // Old crates write a slash for OR.
    licenses: [{ expression: licence.replaceAll("/", " OR ") }],
  }));
}
