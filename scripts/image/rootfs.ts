// Makes a guest's root, and beside it the kernel and the initrd to boot it with outside Kata, in build/guest (for another
// architecture in build/<architecture>/guest). Made anew only when something it is made of is newer.
//
//   node scripts/image/rootfs.ts [--format initrd|cpio|ext4|erofs] [--init agent|systemd] [--dax] [--arch amd64|arm64]
//
// docs/image.md says what the formats are for. Beside an image lies its report of sizes and its bill of materials.
import { existsSync, globSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { buildTarget } from "../target.ts";
import { asArchitecture, ownArchitecture } from "./architecture.ts";
import { billOfMaterials } from "./bill-of-materials.ts";
import { asImageKind, type ImageKind, imageFile } from "./image-kind.ts";
import { type MadeImage, makeImage } from "./make-image.ts";
import { sizeReport } from "./size-report.ts";

const root = join(import.meta.dirname, "../..");
const say = (line: string): void => void process.stdout.write(`rootfs: ${line}\n`);

/** Whether the image is younger than all it is made of. */
function isFresh(kind: ImageKind): boolean {
  const { out } = buildTarget(root, kind.architecture);
  const file = imageFile(out, kind);
  if (![file, join(out, "guest/vmlinuz"), join(out, "guest/boot.cpio")].every((path) => existsSync(path)))
    return false;
  const madeAt = statSync(file).mtimeMs;
  const inputs = [
    ...globSync("lib/!(agentctl|kata-trace-forwarder).*", { cwd: out }).map((path) => join(out, path)),
    ...globSync("{rootfs/**,scripts/image/*.ts,LICENSE,package-lock.json}", { cwd: root }).map((path) =>
      join(root, path),
    ),
    join(out, "kata-agent"),
  ];
  return inputs.every((path) => existsSync(path) && statSync(path).mtimeMs < madeAt);
}

/** Writes what an image holds beside it; the plain archive is for tests and has no readers. */
function describe(made: MadeImage): void {
  const base = made.file.replace(/\.(cpio\.gz|img)$/, "");
  writeFileSync(`${base}.sizes.md`, sizeReport(made));
  say(`${basename(base)}.sizes.md says what each megabyte is`);
  // None of an older image.
  rmSync(`${base}.cdx.json`, { force: true });
  try {
    writeFileSync(`${base}.cdx.json`, billOfMaterials(made));
    say(`${basename(base)}.cdx.json is the SBOM (CycloneDX)`);
  } catch (error) {
    say(`there is no SBOM: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const { values } = parseArgs({
  options: {
    format: { type: "string" },
    init: { type: "string" },
    dax: { type: "boolean" },
    arch: { type: "string" },
  },
});
const { arch, ...words } = values;
try {
  const kind = asImageKind(arch ? asArchitecture(arch) : ownArchitecture(), words);
  if (!isFresh(kind)) {
    const made = await makeImage(kind, say);
    if (kind.format !== "cpio") describe(made);
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
