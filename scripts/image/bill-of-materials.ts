/**
 * What an image is made of, for whoever has to look for vulnerable versions: CycloneDX 1.5, as `npm sbom` writes it for
 * the npm packages, with the Debian packages whose files are in the image, Node, crun and the crates added to it.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "smol-toml";
import type { MadeImage } from "./make-image.ts";
import { originFinder } from "./origin.ts";
import { sourceDateS } from "./source-date.ts";
import type { DebianPackage } from "./system-root.ts";

type Property = { name: string; value: string };
type Component = {
  type: string;
  name: string;
  version: string;
  purl: string;
  "bom-ref": string;
  description?: string;
  properties?: Property[];
};
type Bill = {
  serialNumber: string;
  metadata: { timestamp: string; component: object };
  components: Component[];
  dependencies: unknown[];
};

const projectDir = join(import.meta.dirname, "../..");

/** The document as text, the same for the same image. Throws an Error when npm does not know its packages. */
export function billOfMaterials({ file, entries, system }: MadeImage): string {
  const originOf = originFinder(system);
  const origins = entries.map(originOf);
  const has = (kind: string): boolean => origins.some((origin) => origin.kind === kind);
  const packages = new Set(origins.flatMap((origin) => (origin.kind === "debian" ? [origin.package] : [])));
  const bill: Bill = JSON.parse(npmBill());
  // `--omit dev` would leave out those that a tool has among its optional peers too.
  bill.components = bill.components.filter(
    ({ properties = [] }) => !properties.some(({ name }) => name === "cdx:npm:package:development"),
  );
  const crun = system.packages.find(({ name }) => name === "crun");
  bill.components.push(
    component("application", "node", process.versions.node, `pkg:generic/node@${process.versions.node}`),
    ...[...packages].map((each) => debian(each, system.architecture)),
    ...(has("crun") && crun ? [compiledCrun(crun)] : []),
    ...(has("policy engine") ? crates() : []),
  );
  // A package that lies in two folders is one.
  bill.components = [...new Map(bill.components.map((each) => [each["bom-ref"], each])).values()];
  bill.metadata.timestamp = new Date(sourceDateS(projectDir) * 1000).toISOString();
  bill.metadata.component = { type: "operating-system", name: basename(file), "bom-ref": basename(file) };
  // The graph is of npm packages alone; a list says as much as scanners read.
  bill.dependencies = [];
  const digest = createHash("sha256").update(JSON.stringify(bill.components)).digest("hex");
  const uuid = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
  ];
  bill.serialNumber = `urn:uuid:${[...uuid, digest.slice(20, 32)].join("-")}`;
  return `${JSON.stringify(bill, undefined, 1)}\n`;
}

function npmBill(): string {
  return execFileSync("npm", ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"], {
    cwd: projectDir,
    encoding: "utf8",
    maxBuffer: 16 << 20,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function component(type: string, name: string, version: string, purl: string): Component {
  return { "bom-ref": purl, type, name, version, purl };
}

function debian({ name, version }: DebianPackage, architecture: string): Component {
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
  return component("library", name, version, purl);
}

function compiledCrun({ sourceVersion }: DebianPackage): Component {
  const purl = `pkg:deb/debian/crun@${encodeURIComponent(sourceVersion)}?arch=source`;
  const description =
    "compiled from this source, static: with libc, libcap, libseccomp and libyajl of the same release";
  return { ...component("application", "crun", sourceVersion, purl), description };
}

function crates(): Component[] {
  const lock = parse(readFileSync(join(projectDir, "src/sys/policy-engine/Cargo.lock"), "utf8"));
  const listed = lock["package"] as { name: string; version: string; source?: string }[];
  return listed
    .filter(({ source }) => source !== undefined)
    .map(({ name, version }) => component("library", name, version, `pkg:cargo/${name}@${version}`));
}
