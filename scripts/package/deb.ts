import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Release } from "./release.ts";
import { type Placed, stage } from "./stage.ts";

/**
 * Packs the files, whose paths begin at the root of the system, into a .deb at `file`. `meta` holds `control` without
 * what is filled in here, and the maintainer scripts; all below etc/ is a conffile. `folder` is where it is put together.
 */
export function packDeb(
  {
    files: given,
    meta,
    folder,
    file,
  }: { files: readonly Placed[]; meta: string; folder: string; file: string },
  release: Release,
): void {
  const files = given.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const scripts = ["postinst", "prerm", "postrm"].map((name) => placed(name, 0o755, text(meta, name)));
  const conffiles = files.filter(({ path }) => path.startsWith("etc/")).map(({ path }) => `/${path}\n`);
  const sizes = files.map(({ content }) => Math.ceil(sizeOf(content) / 1024));
  const control = fillIn(text(meta, "control"), {
    Version: release.version,
    Architecture: release.debianArch,
    "Installed-Size": String(sizes.reduce((sum, each) => sum + each, 0)),
  });
  const sums = files
    .filter(({ path }) => !path.startsWith("etc/"))
    .map(({ path, content }) => {
      return `${createHash("md5").update(bytesOf(content)).digest("hex")}  ${path}\n`;
    });
  const head = [
    placed("control", 0o644, control),
    placed("conffiles", 0o644, conffiles.join("")),
    placed("md5sums", 0o644, sums.join("")),
  ];
  stage(folder, [...files, ...head, ...scripts], release.dateS);
  // zstd unpacks in a second where xz takes ten; dpkg knows it since Debian 12 and Ubuntu 18.04.
  const flags = ["--root-owner-group", "-Zzstd", "-z6", "--build"];
  execFileSync("dpkg-deb", [...flags, folder, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(release.dateS) },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

const text = (folder: string, name: string): string => readFileSync(join(folder, name), "utf8");

const placed = (name: string, mode: number, content: string): Placed => ({
  path: `DEBIAN/${name}`,
  mode,
  content,
});

/** Fields behind the first line, the name of the package. */
function fillIn(control: string, fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  return control.replace("\n", `\n${lines.join("")}`);
}

function bytesOf(content: Placed["content"]): string | Uint8Array {
  return typeof content === "object" && "copyOf" in content ? readFileSync(content.copyOf) : content;
}

function sizeOf(content: Placed["content"]): number {
  return typeof content === "object" && "copyOf" in content ? statSync(content.copyOf).size : content.length;
}
