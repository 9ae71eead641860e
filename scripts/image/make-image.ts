import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildTarget } from "../target.ts";
import { writeCpio } from "./cpio.ts";
import { makeDiskImage } from "./disk-image.ts";
import { type FileSystem, makeFileSystem } from "./file-system.ts";
import { bootContents, guestContents, licensedContents } from "./guest-contents.ts";
import { guestKernel } from "./guest-kernel.ts";
import { placeLicences } from "./guest-licences.ts";
import { prepareGuestPrograms } from "./guest-programs.ts";
import type { TreeEntry } from "./guest-tree.ts";
import { type ImageKind, imageFile } from "./image-kind.ts";
import { sourceDateS } from "./source-date.ts";
import { layDown } from "./stage.ts";
import { type SystemRoot, systemRoot } from "./system-root.ts";

/** What an image was made of, for reports about it. */
export type MadeImage = {
  readonly kind: ImageKind;
  readonly file: string;
  readonly entries: readonly TreeEntry[];
  readonly system: SystemRoot;
};

const projectDir = join(import.meta.dirname, "../..");
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Makes an image of this kind, and the kernel (`guest/vmlinuz`) and small initrd (`guest/boot.cpio`) to boot it with
 * outside Kata. `say` is told each step; `place` is another file for the image than its own. Throws an Error that says
 * what is missing.
 */
export async function makeImage(
  kind: ImageKind,
  say: (line: string) => void,
  place?: string,
): Promise<MadeImage> {
  const { out: build } = buildTarget(projectDir, kind.architecture);
  mkdirSync(join(build, "guest"), { recursive: true });
  const system = systemRoot(kind.architecture, say);
  prepareGuestPrograms(system, say);
  await placeLicences(system, [...licensedContents("agent", system), ...licensedContents("systemd", system)]);
  const entries = guestContents(kind.init, system);
  say(`${entries.length} files and folders`);
  const timeS = sourceDateS(projectDir);
  const file = place ?? imageFile(build, kind);
  const work = mkdtempSync(join(build, "guest/.work-"));
  try {
    write(kind, entries, { file, work, timeS, say });
    placeKernel(system, build, timeS, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say(`${file.slice(projectDir.length + 1)} ${megabytes(statSync(file).size)}`);
  return { kind, file, entries, system };
}

type Making = { file: string; work: string; timeS: number; say: (line: string) => void };

function write(kind: ImageKind, entries: readonly TreeEntry[], making: Making): void {
  const { format } = kind;
  if (format === "ext4" || format === "erofs") writeDisk(format, kind.dax, entries, making);
  else writeInitrd(format === "initrd", entries, making);
}

function writeInitrd(
  packed: boolean,
  entries: readonly TreeEntry[],
  { file, work, timeS, say }: Making,
): void {
  const archive = join(work, "initrd.cpio");
  const bytes = writeCpio(archive, entries, timeS);
  if (packed) {
    say(`packing ${megabytes(bytes)} (gzip, the kind that Kata's kernels unpack)`);
    execFileSync("gzip", ["--best", "--no-name", "--keep", archive]);
    renameSync(`${archive}.gz`, file);
  }
  renameSync(archive, file.replace(/\.gz$/, ""));
}

function writeDisk(
  format: FileSystem,
  dax: boolean,
  entries: readonly TreeEntry[],
  { file, work, timeS, say }: Making,
): void {
  const [folder, fileSystem, image] = ["root", "fs", "image"].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ];
  layDown(folder, entries, timeS);
  say(`making ${format}`);
  makeFileSystem(format, fileSystem, { folder, entries, timeS });
  makeDiskImage(image, fileSystem, { dax });
  renameSync(image, file);
}

function placeKernel(system: SystemRoot, build: string, timeS: number, work: string): void {
  const kernel = guestKernel(system.path);
  copyFileSync(kernel.image, join(work, "vmlinuz"));
  writeCpio(join(work, "boot.cpio"), bootContents(system), timeS);
  for (const name of ["vmlinuz", "boot.cpio"]) renameSync(join(work, name), join(build, "guest", name));
}
